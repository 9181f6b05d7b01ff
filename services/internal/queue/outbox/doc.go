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
//   - round: one transaction of the relay, in which it chooses rows, sends them
//     and marks the result.
//   - prune: to delete rows that were sent some time ago.
//
// # The table
//
// It lies in a schema of the caller's, so that one transaction writes both.
// Migrations has its definition for goose, and psql takes the same file. Its
// names are not qualified: they go to the first schema of search_path.
//
//	psql "$DATABASE_URL" -c 'CREATE SCHEMA shop'
//	PGOPTIONS='-c search_path=shop' psql "$DATABASE_URL" -f migrations/00001_outbox.sql
//
// outbox.New("shop", "outbox") is then the Box to Add to.
//
// # What is promised
//
// Each row is sent at least once. Rows of one queue and key are sent in the
// order of seq, and the next one only after the one before was acknowledged and
// marked. Therefore the caller of Add must hold a lock on what the key names:
// then the order of seq is the order in which the transactions commit. Across
// keys there is no order. Transactions may commit in another order than they got
// their seq, so nobody may read the table by seq > last.
//
// # The relay, failure by failure
//
// A round is one transaction: take the advisory lock, choose the first unsent
// row of each key if it is due, send these rows in batches of ten, mark those
// that SQS acknowledged, commit.
//
//   - Another relay holds the lock: this relay waits for its next round. The lock
//     belongs to the transaction. If the process freezes, the session's
//     idle_in_transaction_session_timeout ends its transaction, and with it the
//     lock; a lock of the session would last as long as the frozen process.
//   - The process dies, or the commit fails, after SQS has acknowledged: the rows
//     are sent again. Consumers deduplicate by the row's id. A FIFO queue does so
//     too, for five minutes, because id is the deduplication id.
//   - SQS refuses one entry of a batch: that row keeps the error and is tried
//     again later. It holds back the rows of its own key and no others.
//   - SQS does not answer, or the queue does not exist: all rows of that queue
//     wait, Ready returns the reason, and the queue's URL is looked up again. For
//     a queue that does not exist the reason is a *SetupError that names it, and
//     for one of Options.Queues Ready returns it also before there is a row.
//   - The database does not answer: rounds fail and are tried again. Nothing was
//     acknowledged to anyone.
//
// A delay is counted from Add: a row that is sent late is not delayed twice.
package outbox
