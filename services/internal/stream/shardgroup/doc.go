// Package shardgroup lets the processes of one consumer group share a stream's
// shards, and puts a shard's checkpoint into the same Postgres transaction as
// the rows that came of it. What the KCL keeps in DynamoDB lies here beside the
// data it vouches for: that is what makes "exactly once" a matter of one COMMIT.
//
// # Words
//
//	group       all workers that read a stream together; each record is applied once
//	generation  one reading of everything by a group; a rebuild takes the next one
//	worker      one process of a group; its heartbeat says until when it counts
//	life        a stream from its creation to its deletion (ARN, creation time)
//	lease       one worker's right to one shard: owner, epoch, expiry. It is held
//	            until it expires, is released or is completed
//	epoch       rises with every owner of a lease: it tells a former owner apart
//	trust       how long a worker relies on its lease: less long than it lasts
//	reading     a worker's reading of one shard under its lease
//	checkpoint  the position up to which a shard is applied
//	fenced      said of a commit whose worker no longer holds the lease
//	tip         the end of a shard for now
//	drained     said of a closed shard that is applied to its end: lease completed
//	parked      said of a record that was written to dead_records instead of applied
//	returned    said of a parked record that was read again and applied after all
//	gap         a span of arrivals that the group could not read
//	move        one change of owner that Plan asks for
//
// # Model
//
// A group (name, generation) reads one life of a stream. Every shard of it has a
// lease. Four times in a lease's life a worker renews its heartbeat and its
// leases, and looks at all leases and heartbeats; it computes Plan, which every
// worker computes alike. It carries out only the moves that name it: acquire what
// nobody holds, release what another should have.
//
// Workers tell each other by NOTIFY, on one channel, when one more takes part or one
// leaves, when a lease was released or completed and when there are new shards. A
// notification says nothing but that it is worth looking now: what there is to do is
// read from the tables, as at any other look. So a shard is handed over in
// milliseconds, and the children of a split are read as soon as their parent's end
// was polled, whoever is to have them. Where no notification comes (a connection
// pooler may drop them) the same happens at the next look.
//
//	          acquire (epoch+1)                commit(Closed)
//	free ───────────────────────> held ──────────────────────────> drained
//	 ▲  owner null or expired      │  renew: same owner and epoch      │
//	 └─────────────────────────────┘                                   ▼
//	    release, or expires_at passes                        its children are free
//
// A held shard is read by package shardreader from its checkpoint; each batch
// goes to the Processor, which writes its rows and calls Commit in one
// transaction.
//
// # What always holds
//
//   - Commit locks the lease's row, checks owner, epoch and expiry, and writes
//     the checkpoint, in the caller's transaction. So a checkpoint exists
//     exactly when its rows do, and a transaction of a former owner rolls back
//     (ErrFenced). The lock is held until that transaction ends, and no longer.
//     It keeps the shard from others; it holds up no renewal and no other shard.
//   - Renewing waits for nothing but the database: it has a connection of its own
//     and waits for no other transaction. So neither Kinesis nor a slow
//     Processor nor a pool that is too small costs a lease.
//   - Every lease knows since when the group answers for its shard. What passes
//     retention unread after that leaves a gap, also where no record was ever
//     applied.
//   - Expiry is judged by the database's clock (clock_timestamp(), not now(),
//     which stands still in a transaction). A worker itself trusts a lease from
//     when it sent the renewal, for the lease time less a margin, by its
//     monotonic clock; then it stops without being told.
//   - A shard's children are read only after its lease is completed, which the
//     transaction of its last batch does.
//   - LATEST is turned into a time once for the group, by the database.
//   - Ending the context is how a worker is stopped: Run returns nil then.
//
// # Failure by failure
//
//   - A worker is stopped: it finishes the batches under way and an acquire whose
//     answer is to come, then releases every lease in its name, also one whose
//     release had failed. Only where the database is away do they have to expire.
//   - The owner dies: its lease expires, another wakes at that moment, acquires
//     it with the next epoch and reads from the checkpoint.
//   - The owner is frozen and comes back: its renewals find another epoch, its
//     Commit is ErrFenced.
//   - A commit's answer is lost: nobody guesses. Reading starts again from the
//     checkpoint in the database, with a new Processor, so without its caches.
//   - A Processor returns nil although its transaction was rolled back, or ends without
//     a commit: the second is an error at once. The first is found by the next commit,
//     which is written only on top of the checkpoint of the one before: it fails, and
//     reading starts again from the checkpoint in the database, so that no record is
//     passed over. On a shard to which nothing more comes that is at the next start.
//   - A Processor commits a part of a batch and fails, or returns: what it committed is
//     applied, and what follows comes again.
//   - The database is away: no renewal, so trust runs out and reading stops;
//     when it is back the leases are acquired again.
//   - A record can't be decoded (ErrUndecodable), or is refused for good
//     (ErrRefused): it is parked with the next checkpoint, at once. A record that its
//     Processor keeps refusing stops the shard at that record, which is tried again
//     (Stop), or is parked after MaxTries (Park). Any other error is nobody's record's
//     fault and is tried again for as long as it takes.
//   - Whatever the error was, a batch that failed is applied in parts, of half as many
//     records after each failure. So what stands before a record that always fails is
//     applied, the record is tried alone, and the lease's row says which it is.
//   - The stream was recreated: the first worker to see it registers the new
//     life, fences the leases of the old one and declares a gap for each of its
//     shards (from the last record applied or the last look at an empty tip, to
//     the new creation) in one transaction, before a record of the new one is
//     read. A worker that has not noticed yet can commit nothing more, and no
//     shard of the new life waits for it. For children that nobody had listed yet, a
//     moment after their parent was drained, the parent has the gap.
//   - The checkpoint is older than what the stream keeps, or the shard is closed
//     and nothing of it is kept, or it is not even listed any more: a gap is
//     declared, from what was known to what can be read, with the next checkpoint;
//     in the last case the shard counts as drained then. While the shard stays
//     stuck the gap grows with each try.
//   - A process is frozen in a transaction: its shard waits for the end of it.
//     Every other shard of its is acquired by others as its leases expire.
//   - ListShards does not answer: what is known is read on, and it is asked again.
//
// # What a person may do
//
// Pause, Resume, Seek and SetAside (operate.go) change a shard in the caller's
// transaction, whoever reads it and also where nobody does. Each of them takes the
// lease: the new epoch waits for a commit that is under way and fences every later one,
// so from the end of that transaction on nothing is written that does not know of it. The
// owner hears of it by a notification, or sees it at its next look, lets go, and whoever
// acquires the shard next reads from the checkpoint that is there now. A paused shard is
// nobody's to acquire; its children wait for it as for any parent.
//
// Status says how far behind its tip each shard is. While a shard is stuck, by a
// record, a slow transaction or a stream that does not answer, it is the time
// since which everything is known to be applied, so it climbs.
//
// Options.Metrics is told of shards that are acquired, given back and lost, of batches
// that were applied and of failures: leases that are lost again and again show a worker
// that is too slow for its lease time, failures a shard that is stuck.
//
// The last look at the tip (tip_at) is written with the renewals, not for each
// empty poll: a shard at rest costs one small transaction a renewal, for all
// shards of a worker together. It is this machine's clock beside the stream's
// arrival stamps: where the two drift apart, gaps drift as far.
//
// Where a stream drops records early for want of space, a record that arrived
// and was dropped between the last look at the tip and the next start of the
// reader, with nothing else kept in between, is not noticed.
//
// # What the pool needs
//
// Options.Pool is used by the readings of shards, each at most one connection at a
// time beside what its Processor takes. Where it has fewer connections than this
// worker has shards they queue for them, which slows and does nothing worse. Give
// it an idle_in_transaction_session_timeout below the lease time, which ends the
// transaction of a process that is frozen in it (Run looks, and warns), and a
// lock_timeout as well. A worker opens up to four more connections with the settings
// of that pool: to renew, to plan, to add the shards that it listed, and to listen.
//
// # Simulation
//
// What is said above is tried by a simulation (sim_test.go): several Groups on a clock of
// their own (testing/synctest), on a stream and a database in memory. A seed draws what
// happens to them: workers stop, die, or are frozen past their lease; the database is away,
// answers of calls are lost, commits among them; the stream fails, its shards are split and
// merged, and it is recreated; records are refused, shards are paused. The database's clock
// runs up to a tenth faster than the workers'. It is checked all the time that each record
// is applied once, in the order of its key, by the last worker to acquire its shard, after
// all of its parents', and that nobody acquires a shard whose former owner still trusts its
// lease; and, some minutes after the last fault, that nothing is left that is neither
// applied, parked nor in a gap. A seed fixes the faults, not the order in which goroutines
// run.
//
// The Groups are the real ones. The database is a model of the SQL (model_test.go), which
// they reach by the interfaces that the planner and the readings need; one suite
// (conform_test.go) holds the model and the SQL to the same contract. Some seeds run with
// the other tests, more of them by make sim.
//
// # The tables
//
// They lie in the Postgres schema SchemaName, which all groups of a database
// share. Create the schema, then apply Migrations with goose, which keeps their
// versions in a table of their own:
//
//	versions, err := database.NewStore(database.DialectPostgres, "shardgroup.goose_db_version")
//	p, err := goose.NewProvider("", db, shardgroup.Migrations(), goose.WithStore(versions))
//	_, err = p.Up(ctx)
//
// # Fan-out consumers
//
// ConsumerLease is a lease of another kind: of one of a stream's fan-out
// consumers, which the replicas of a reader that is no group share out among
// themselves. It has the same clocks and the same trust.
package shardgroup
