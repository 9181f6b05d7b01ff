// Package demo runs all of Tandem on one machine: a private Postgres, the
// emulator, every service as a process of its own, and the simulator. A
// supervisor keeps them running, and one screen shows how they do.
//
// Postgres and the emulator start side by side, then the migrations run, then the
// services start, then the simulator. They stop in the reverse order. Everything
// listens on 127.0.0.1, and nothing outlives the demo.
//
// The data folder holds: lock (one demo at a time), version, run.json (how
// tools find it; only while it runs), keys, postgres/, emulator/, logs/ and
// ledger.jsonl (what the simulator was promised). A downloaded Postgres is kept
// beside the folder, so that --fresh does not delete it.
package demo
