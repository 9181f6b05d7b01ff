// Package demo runs all of Tandem on one machine: a private Postgres, the
// emulator, every service as a process of its own, and the simulator, under a
// supervisor, with one screen.
//
// Order: Postgres and emulator side by side, then migrations, then the
// services, then the simulator. It stops in the reverse order. Everything is
// on 127.0.0.1; nothing outlives the demo.
//
// The data folder holds: lock (one demo at a time), version, run.json (how
// tools find it; only while it runs), keys, postgres/, emulator/, logs/ and
// ledger.jsonl (what the simulator was promised). A downloaded Postgres lies
// beside it, so that --fresh keeps it.
package demo
