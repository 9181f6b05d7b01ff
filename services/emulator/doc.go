// Package emulator is the AWS that Tandem needs, in one process: SQS (standard
// and FIFO), Kinesis Data Streams, and SNS's Publish to a phone, spoken to by
// the unmodified SDKs over HTTP.
//
// It exists for what no emulator at hand has together: AWS's limits enforced
// (a shard's writes and reads, batch sizes), AWS's liberties taken (standard
// queues reorder and rarely repeat, PutRecords fails in part), and surviving
// kill -9: what was acknowledged is there after a restart. What Tandem does not
// use answers UnsupportedOperation by name.
//
// It reads localstack/messaging.yaml by itself and makes what is not there yet,
// so that queues and stream are described once for every backend.
//
//	wire/     AWS's JSON protocols
//	journal/  frames with a checksum: one write before the answer
//	sqs/      queues, journalled
//	kinesis/  streams: topology, and segment files of records
//	sns/      text messages, in memory
//
// # Failure by failure
//
//   - Killed: queues and records reopen as they were acknowledged; a torn tail
//     is cut off. In-flight messages are visible again. Sent texts are gone.
//   - The disk is full: the write fails, the call answers InternalFailure, and
//     nothing of it is there.
//   - Two emulators on one folder: the second says so and ends.
//
// Looking touches nothing: GET /_aws/sqs/messages?QueueUrl=… (as in
// LocalStack), /_aws/sns/sms-messages, and /_aws/emulator/state.
package emulator
