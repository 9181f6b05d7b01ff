// Package outbox sends messages to SQS that were promised in a Postgres
// transaction: Add writes a row beside the caller's own rows, and the Relay
// sends rows and marks them sent. So the caller's rows and the message cannot
// disagree.
//
// The table is the caller's; its columns are in services/domain/ride/migrations
// (seq bigserial, id uuid, queue, key, body, added_at, due_at, retry_at, tries,
// last_error, sent_at, message_id).
//
// # What is promised
//
// Each row is sent at least once. Rows of one queue and key are sent in the
// order of seq, the next only after the one before was acknowledged and marked.
// seq must therefore be given under a lock on what the key names, so that its
// order is the order of commits. Across keys there is no order: sequences
// commit out of order, and nobody may read the table by seq > last.
//
// # The relay, failure by failure
//
// A round is one transaction: take the advisory lock, choose the first unsent
// row of each key that is due for a try, send them in batches of ten, mark what
// was acknowledged, commit.
//
//   - Another relay holds the lock: this one waits. The lock belongs to the
//     transaction, and the session's idle_in_transaction_session_timeout ends a
//     frozen process's transaction; a session lock would hold for ever.
//   - The process dies, or the commit fails, after SQS has acknowledged: the
//     rows are sent again. Consumers deduplicate by the row's id (on a FIFO
//     queue SQS does so too, for five minutes: id is the deduplication id).
//   - SQS refuses one entry of a batch: that row keeps its error and is tried
//     again later; it holds back its own key alone.
//   - SQS cannot be reached, or the queue is not there: all rows of that queue
//     wait, Ready says why (a *SetupError names the queue that is not there, also
//     before the first row), and the queue's URL is looked up anew.
//   - The database cannot be reached: rounds fail and are tried again; nothing
//     was acknowledged to anyone.
//
// A delay is counted from Add: a row that is late in being sent is not delayed
// twice.
package outbox
