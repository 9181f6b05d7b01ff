// Package sns is the emulator's Amazon SNS as far as Tandem uses it: text messages
// to a phone number, and standard topics that deliver to SQS queues, raw or in
// SNS's JSON envelope. It speaks the query protocol: a form in, XML out.
//
//	publisher ─Publish─> topic ─┬─> subscription, raw ───────> queue (the message and its attributes)
//	                            └─> subscription, not raw ───> queue (a JSON document about the message)
//
// Publish answers when every queue has journalled its copy, so what was
// published survives kill -9 where the queues do. A copy for a queue that doesn't
// exist, or that refuses it, is lost with a line in the log: SNS calls this a
// client-side error and does not try again.
//
// # What is kept
//
// Topics and subscriptions are in one small file, which is replaced by rename
// before the answer: after a crash they are as before the call or as after it. The
// newest thousand text messages are kept in memory, and are gone after a restart;
// they can be read at /_aws/sns/sms-messages, as in LocalStack.
//
// # What is unsupported
//
// FIFO topics, topics' attributes, filter policies, dead-letter queues of
// subscriptions, batches, and every protocol but sqs are refused by name. The
// envelope's signature is no signature.
package sns
