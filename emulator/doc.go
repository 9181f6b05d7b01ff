// Package emulator is the AWS that Tandem needs, in one process: SQS (standard
// and FIFO), Kinesis Data Streams with enhanced fan-out, SNS to phones and to
// queues, and STS's GetCallerIdentity. Unmodified SDKs speak to it over HTTP/1.1,
// or over HTTP/2 without TLS, as Kinesis's clients for JavaScript and Java do.
// services/test/sdk says which SDKs were tried.
//
// It exists for four things that no emulator known to us has together: it enforces
// AWS's limits (a shard's writes and reads, batch sizes, messages in flight); its
// fan-out pushes records when they arrive; it fails on purpose (package faults);
// and it survives kill -9: what was acknowledged exists after a restart. It does
// what AWS is free to do too: standard queues reorder and rarely repeat,
// PutRecords fails in part. What Tandem does not use is answered with
// UnsupportedOperation and its name.
//
//	           ┌─ X-Amz-Target: AmazonSQS.… ────────> sqs/ ─────> journal/   queues.journal
//	POST / ─> faults/ ─ X-Amz-Target: Kinesis_… ────> kinesis/ ─> journal/   streams/
//	           └─ a form with an Action ────────────> sns/ ──> sqs/          topics.json
//
//	wire/         AWS's JSON protocols, also in CBOR, and event streams
//	journal/      frames with a checksum: one write before the answer
//	sqs/          queues, journalled
//	kinesis/      streams: topology, and segment files of records
//	sns/          topics, in a small file; texts, in memory
//	faults/       failures on purpose, by rules
//	conformance/  what an endpoint promises, for this one, LocalStack and AWS
//
// It reads localstack/messaging.yaml and creates what does not exist yet, so that
// queues, stream and topic are described once for every backend. Of
// CloudFormation it knows the resource types and properties in kinds(), Ref,
// Fn::GetAtt and Fn::Sub; anything else ends the start with its name. Alarms are
// read and ignored: the emulator has no CloudWatch.
//
// # Failure by failure
//
//   - Killed: queues, records and topics reopen as they were acknowledged; a torn
//     write at the end of a file is cut off. Messages that were in flight are visible again, on a
//     FIFO queue too, which AWS would not do. Sent texts and faults are gone.
//   - The disk is full: the write fails, the call answers InternalFailure and the
//     disk's reason, and nothing of it is kept; /readyz is 503 and says so. What is
//     stored is read on, also by an emulator that starts on the full disk. Where
//     there is room again, writing goes on.
//   - Two emulators on one folder: the second ends with an error that says so.
//   - A web page asks (with an Origin, or Sec-Fetch-Site: cross-site), or a name
//     that KnownHost does not know is used: it is refused before anything is read.
//   - A client speaks another protocol (SQS's of before 2023, CBOR with SQS, a newer
//     one): the error names it and, where there is one, the switch.
//   - A client sends too much, too slowly, or over too many connections: it is
//     refused, cut off, or waits. Nothing that it sends makes the emulator panic.
//
// To look changes nothing: GET /_aws/sqs/messages?QueueUrl=… (as JSON alone) and
// /_aws/sns/sms-messages are LocalStack's, and /_aws/emulator/state has queues,
// shards, consumers, topics, and their rates.
package emulator
