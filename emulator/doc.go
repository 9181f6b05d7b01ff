// Package emulator is the AWS that Tandem needs, in one process: SQS (standard
// and FIFO), Kinesis Data Streams with enhanced fan-out, SNS to phones and to
// queues, and STS's GetCallerIdentity, spoken to by the unmodified SDKs over
// HTTP.
//
// It exists for four things that no emulator at hand has together: AWS's limits
// enforced (a shard's writes and reads, batch sizes, messages in flight), true
// fan-out (records are pushed when they arrive), failures on purpose (package
// faults), and surviving kill -9: what was acknowledged is there after a
// restart. It takes AWS's liberties too: standard queues reorder and rarely
// repeat, PutRecords fails in part. What Tandem does not use answers
// UnsupportedOperation by name.
//
//	           ┌─ X-Amz-Target: AmazonSQS.… ────────> sqs/ ─────> journal/   queues.journal
//	POST / ─> faults/ ─ X-Amz-Target: Kinesis_… ────> kinesis/ ─> journal/   streams/
//	           └─ a form with an Action ────────────> sns/ ──> sqs/          topics.json
//
//	wire/         AWS's JSON protocols and event streams
//	journal/      frames with a checksum: one write before the answer
//	sqs/          queues, journalled
//	kinesis/      streams: topology, and segment files of records
//	sns/          topics, in a small file; texts, in memory
//	faults/       failures on purpose
//	conformance/  what an endpoint promises, for this one, LocalStack and AWS
//
// It reads localstack/messaging.yaml by itself and makes what is not there yet,
// so that queues, stream and topic are described once for every backend. Of
// CloudFormation it knows the resource types and properties in kinds(), Ref,
// Fn::GetAtt and Fn::Sub; anything else ends the start with its name. Alarms are
// read and left: there is no CloudWatch here.
//
// # Failure by failure
//
//   - Killed: queues, records and topics reopen as they were acknowledged; a
//     torn tail is cut off. Messages that were in flight are visible again, on a
//     FIFO queue too, which AWS would not do. Sent texts and faults are gone.
//   - The disk is full: the write fails, the call answers InternalFailure, and
//     nothing of it is there.
//   - Two emulators on one folder: the second says so and ends.
//   - A client that sends too much, too slowly, or over too many connections is
//     cut off, refused, or waits; nothing that it sends makes the emulator panic.
//
// Looking touches nothing: GET /_aws/sqs/messages?QueueUrl=… and
// /_aws/sns/sms-messages as in LocalStack, and /_aws/emulator/state with queues,
// shards, consumers, topics, and their rates.
package emulator
