// Package messaging deploys localstack/messaging.yaml as a CloudFormation stack
// on AWS or LocalStack, shows its status, and deletes it.
//
//	Deploy ─► no stack ───────────► CreateStack ─┐
//	       ├► a stack ────────────► UpdateStack ─┼─► follow its events ─► look at the stream
//	       │                         no change ──┘
//	       └► one that can only be deleted ─► an error, nothing is changed
//	Delete ─► DeleteStack ─► follow its events ─► list queues, streams, topics, alarms: nothing of
//	                                              the template's names may be left
//
// It polls by itself: the AWS CLI's waiter looks every 30 seconds.
//
// # What can fail
//
//   - A resource is refused: CloudFormation rolls back, and the error names each
//     resource with its reason. After a failed creation the stack is
//     ROLLBACK_COMPLETE (on LocalStack CREATE_FAILED): it has no resources, can't
//     be updated and must be deleted first. That is left to a person.
//   - Somebody else changes the stack: Deploy and Delete wait until that ends.
//   - ctx ends, or Within passes: CloudFormation goes on by itself; run it again.
//   - Delete succeeds and something is left: ErrLeft. It can cost money, so the
//     listing is the proof, not the stack's status. SQS may list a deleted queue
//     for up to 60 seconds, so Delete looks for a while before it returns that.
//
// # LocalStack 4.14.0
//
// It ignores RetentionPeriodHours, so Deploy sets the retention by Kinesis' own
// API. It reports an update of ShardCount as done and changes nothing: Deploy
// counts the open shards and fails with ErrShards.
package messaging
