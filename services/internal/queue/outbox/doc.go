// Package outbox sends messages to SQS that were promised in a Postgres
// transaction. Add writes a row beside the caller's own rows; a Relay sends the
// rows and marks them as sent. So the caller's rows and the message cannot
// disagree. The package stands alone: copy the folder and it builds.
//
// # Words
//
//   - row: one message in the outbox table; seq is its place in the order.
//   - key: what the message is about, such as a ride's id. Rows of one queue and
//     key are sent in order; on a FIFO queue the key is the message group.
//   - relay: what sends the rows. Any number may run, and one works at a time.
//   - round: one turn at each queue that has unsent rows.
//   - turn: one transaction, in which the relay chooses rows of one queue, sends them
//     and marks what became of them.
//   - call: one SendMessageBatch, with up to ten rows of as many keys.
//   - wave: the calls with the next row of each key. It is over when all are answered.
//   - set aside: SQS refuses the row for good; it is kept, and not tried any more.
//   - back off: not to try a queue whose call failed, for a while.
//   - prune: to delete rows that were sent some time ago.
//
// # The table
//
// It lies in a schema of the caller's, so that one transaction writes both.
// Migrations has its definition for goose, and psql takes the same file. Its
// names are not qualified: they go to the first schema of search_path.
//
//	psql "$DATABASE_URL" -c 'CREATE SCHEMA shop'
//	PGOPTIONS='-c search_path=shop' psql "$DATABASE_URL" -f migrations/00001_outbox.sql \
//	  -f migrations/00002_set_aside.sql -f migrations/00003_attributes.sql \
//	  -f migrations/00004_waiting.sql
//
// outbox.New("shop", "outbox") is then the Box to Add to.
//
// # What is promised
//
// Each row is sent at least once, unless SQS refuses it for good. Rows of one queue
// and key are sent in the order of seq, the next one only after the one before was
// acknowledged, or was set aside and is marked so. Therefore the caller of Add must hold
// a lock on what the key names: then the order of seq is the order in which the
// transactions commit. Across keys there is no order. Transactions may commit in
// another order than they got their seq, so nobody may read the table by seq > last.
//
// What is sent again after a crash is one turn's: at most 500 rows, and 16 MiB of
// bodies, that were acknowledged in a quarter of a second, or by calls that began in it.
// They come again in the order of their keys.
//
// # The relay, failure by failure
//
// A turn takes the advisory lock and chooses up to 500 rows: the first ones of each
// key, few of many keys or many of few. It sends them in waves of at most eight calls
// at once, marks with one statement those that SQS has acknowledged, and commits. The
// next turn goes on with the next keys, so that each key has its turn, whatever waits
// before it. After a round that sent or set aside a row, the next one begins
// immediately.
//
//   - Another relay holds the lock: this relay waits for its next round. The lock
//     belongs to the transaction. If the process freezes, the session's
//     idle_in_transaction_session_timeout ends its transaction, and with it the
//     lock; a lock of the session would last as long as the frozen process. Set it:
//     Postgres's default is none, and then no relay sends until the connection ends.
//   - The process dies, or the commit fails, after SQS has acknowledged: the rows
//     are sent again. Consumers deduplicate by the row's id. A FIFO queue does so
//     too, for five minutes, because id is the deduplication id.
//   - SQS is slow: a turn begins no call after a quarter of a second, or half of
//     SendWithin, and its calls end well before the session's
//     idle_in_transaction_session_timeout does. A call whose answer comes later than
//     that is sent again.
//   - ctx of Run ends: a turn that is under way is finished: what it has sent is
//     marked and committed.
//   - OnSent fails, or what it must lock is locked: the rows stay marked as sent.
//   - SQS refuses one entry of a call: that row keeps the error and is tried
//     again later. It holds back the rows of its own key and no others.
//   - SQS refuses a message for its content: it is set aside with the reason,
//     which is logged at level error, and the next rows of its key go on. Where SQS
//     refuses the whole call for it, its rows are sent one by one.
//     Box.SetAside lists such rows, OneSetAside returns one; when the cause is removed, SendAgain has them
//     tried again, and Discard gives them up.
//   - SQS does not answer, or the queue does not exist: the turn begins no more calls,
//     and the relay backs off from that queue, up to 4 s between two tries. Its rows
//     wait, Ready returns the reason, and the queue's URL is looked up again. For a queue
//     that does not exist the reason is a *SetupError that names it, and for one of
//     Options.Queues Ready returns it also before there is a row.
//   - The database does not answer: rounds fail and are tried again. Nothing was
//     acknowledged to anyone.
//
// A delay is counted from Add: a row that is sent late is not delayed twice.
//
// # How fast it is
//
// Measured on two cores that were also busy with other work, Postgres 15 and Tandem's
// emulator over HTTP on the same machine: 4,700 to 14,900 rows a second with 5 keys, with
// 20, with 100,000 rows that wait over 20, and with a key for each row. With one key
// 2,000 to 2,600: each call then has one row, and the next call waits for its answer.
// So on AWS, where a call takes some 10 ms, a single key has about 100 messages a
// second; what needs more must have more keys.
//
// Postgres keeps the index entries of sent rows until no open transaction could still
// see them, and each turn reads past them. Without such a transaction it costs little:
// 1.2 ms for 200,000 rows. With one it costs about 70 ms for as many. A backup or a
// report that keeps its transaction open for an hour therefore belongs on a replica.
//
// # What a wake by NOTIFY costs
//
// Options.Wake may come from LISTEN, as Tandem's does: the transaction that adds a row
// calls pg_notify. Postgres commits such transactions one after the other: each takes a
// lock of the whole cluster until its commit is on the disk, so they do not share a
// flush. Measured (one INSERT a transaction, fsync on, two busy cores, median of three):
//
//	connections   without    with pg_notify
//	          1       307               196 transactions a second
//	          4     1,476               619
//	         16     3,230               409
//
// That is plenty for bookings. Where some hundred transactions a second write to the
// database, leave it out and poll more often: an idle poll costs two index look-ups.
package outbox
