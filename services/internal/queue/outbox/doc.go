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
//   - round: one batch for each queue that has unsent rows. Each batch is a
//     transaction, in which the relay chooses rows, sends them and marks the result.
//   - set aside: SQS refuses the row for good; it is kept, and not tried any more.
//   - rest: a queue whose call failed rests, that is, it is not tried for a while.
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
//	  -f migrations/00002_set_aside.sql -f migrations/00003_attributes.sql
//
// outbox.New("shop", "outbox") is then the Box to Add to.
//
// # What is promised
//
// Each row is sent at least once, unless SQS refuses it for good. Rows of one queue
// and key are sent in the order of seq, and the next one only after the one before
// was acknowledged, or set aside, and marked. Therefore the caller of Add must hold
// a lock on what the key names: then the order of seq is the order in which the
// transactions commit. Across keys there is no order. Transactions may commit in another order than they got
// their seq, so nobody may read the table by seq > last.
//
// # The relay, failure by failure
//
// A batch is one transaction: take the advisory lock, choose the first unsent row
// of each key if it is due, send up to ten of these rows, mark those that SQS
// acknowledged, commit. After a round that sent or set aside a row, the next one
// begins immediately.
//
//   - Another relay holds the lock: this relay waits for its next round. The lock
//     belongs to the transaction. If the process freezes, the session's
//     idle_in_transaction_session_timeout ends its transaction, and with it the
//     lock; a lock of the session would last as long as the frozen process.
//   - The process dies, or the commit fails, after SQS has acknowledged: the rows
//     are sent again. Consumers deduplicate by the row's id. A FIFO queue does so
//     too, for five minutes, because id is the deduplication id.
//   - SQS is slow: the transaction spans one call, and the call ends well before
//     the session's idle_in_transaction_session_timeout does. A call whose answer
//     comes later than that is sent again.
//   - ctx of Run ends: a batch that is under way is sent, marked and committed.
//   - OnSent fails, or what it must lock is locked: the rows stay marked as sent.
//   - SQS refuses one entry of a batch: that row keeps the error and is tried
//     again later. It holds back the rows of its own key and no others.
//   - SQS refuses a message for its content: it is set aside with the reason,
//     which is logged at level error, and the next rows of its key go on. Where SQS
//     refuses the whole call for it, the rows of the batch are sent one by one.
//     Box.SetAside lists such rows; when the cause is removed, SendAgain has them
//     tried again, and Discard gives them up.
//   - SQS does not answer, or the queue does not exist: all rows of that queue
//     wait while the queue rests, up to 4 s between two tries, Ready returns the
//     reason, and the queue's URL is looked up again. For a queue that does not exist
//     the reason is a *SetupError that names it, and for one of Options.Queues Ready
//     returns it also before there is a row.
//   - The database does not answer: rounds fail and are tried again. Nothing was
//     acknowledged to anyone.
//
// A delay is counted from Add: a row that is sent late is not delayed twice.
package outbox
