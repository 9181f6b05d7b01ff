package main

const (
	groupDir    = "services/internal/stream/shardgroup/"
	readerDir   = "services/internal/stream/shardreader/"
	producerDir = "services/internal/stream/kinesisproducer/"
	kplDir      = "services/internal/stream/kpl/"
)

// streams are bugs of the group, the reader, the producer and the format.
func streams() []mutant {
	return []mutant{
		{
			name: "a checkpoint is written under an expired lease", file: groupDir + "store_checkpoint.go", quick: true, tests: "TestTheCheckpointIsFenced",
			before: "AND epoch = $4 AND expires_at > clock_timestamp()", after: "AND epoch = $4",
		},
		{
			name: "a checkpoint is written under another epoch", file: groupDir + "store_checkpoint.go", quick: true, tests: "TestTheCheckpointIsFenced",
			before: "AND epoch = $4 AND expires_at > clock_timestamp()", after: "AND $4::bigint > 0 AND expires_at > clock_timestamp()",
		},
		{
			name: "a checkpoint leaves the lease unlocked", file: groupDir + "store_checkpoint.go", tests: "TestACommitHoldsTheLease",
			before: "\n\t\t\tFOR KEY SHARE)", after: ")",
		},
		{
			name: "a checkpoint passes over what was rolled back", file: groupDir + "store_checkpoint.go", tests: "TestARolledBackCheckpoint",
			before: "WHERE checkpoints.sequence = $10 AND checkpoints.sub = $11`", after: "WHERE $10::text IS NOT NULL AND $11::int IS NOT NULL`",
		},
		{
			name: "what was committed of a batch comes again after a failure", file: groupDir + "apply.go", tests: "TestAPartOfABatch",
			before: "\t\t\tb.Records = b.Records[applied:]\n\t\t\tcontinue", after: "\t\t\tcontinue",
		},
		{
			name: "a record is parked before its part of the batch", file: groupDir + "apply.go", tests: "TestAPartParksItsOwn",
			before: "for _, rec := range b.Records[applied:n] {", after: "for _, rec := range b.Records {",
		},
		{
			name: "a worker leaves with a lease in its name", file: groupDir + "store.go", tests: "TestAStoppedWorkerOwnsNoLease",
			before: "WHERE stream_id = $1 AND owner = $2 AND completed_at IS NULL)", after: "WHERE stream_id = $1 AND owner = $2 AND false)",
		},
		{
			name: "a worker that joins waits until the others look", file: groupDir + "planner.go", tests: "TestAWorkerThatJoins",
			before: "if err := p.store.announce(ctx); err != nil {", after: "if err := ctx.Err(); err != nil {",
		},
		{
			name: "a shard that stays stuck leaves a gap for each try", file: groupDir + "store_checkpoint.go", tests: "TestAShardThatStaysStuck",
			before: "reason = 'trimmed' AND to_at = $3 RETURNING 1)", after: "reason = 'trimmed' AND false RETURNING 1)",
		},
		{
			name: "a consumer's lease is released once or not at all", file: groupDir + "consumer_lease_run.go", tests: "TestAStoppedReplica",
			before: "if sleep(ctx, firstWait) != nil {", after: "if true {",
		},
		{
			name: "a live lease is taken", file: groupDir + "store_lease.go", quick: true, tests: "TestALiveLeaseIsNotTaken",
			before: "(owner IS NULL OR expires_at <= clock_timestamp())", after: "(owner IS NULL OR true)",
		},
		{
			name: "another's lease is trusted", file: groupDir + "planner_leases.go", tests: "TestALostLeaseIsNotRenewed",
			before: "renewed, held := ours[r.lease.Shard]; {", after: "renewed, held := ours != nil, true; {",
		},
		{
			name: "a lease that somebody has locked is waited for", file: groupDir + "store_lease.go", tests: "TestAnOpenTransactionOfAnotherCostsNoLease",
			before: "FOR UPDATE SKIP LOCKED)", after: "FOR UPDATE)",
		},
		{
			name: "the leases of a life that is over stay", file: groupDir + "store.go", tests: "TestTheOldLifeIsFencedBeforeTheNewOneIsRead",
			before: "SET owner = NULL, epoch = epoch + 1 WHERE", after: "SET owner = owner WHERE",
		},
		{
			name: "a processor is used again after a record's error", file: groupDir + "apply.go", tests: "TestAProcessorIsNotUsedAgainAfterARecordError",
			before: "\t\tr.processor = r.g.o.Processor(r.lease.Shard)", after: "",
		},
		{
			name: "no gap is written", file: groupDir + "store_checkpoint.go", quick: true, tests: "TestCheckpointOlderThanTheStreamKeepsLeavesAGap",
			before: "if st.gap != nil {", after: "if false {",
		},
		{
			name: "the end of a shard is not written with its last rows", file: groupDir + "store_checkpoint.go", tests: "TestChildrenAfterParents",
			before: "\tif st.closed {", after: "\tif false {",
		},
		{
			name: "a processor that wrote no checkpoint goes on", file: groupDir + "apply.go", tests: "TestAProcessorMustCommit",
			before: "case err == nil && whole:", after: "case err == nil && (whole || applied == 0):",
		},
		{
			name: "under Stop a record that fails is parked", file: groupDir + "apply.go", tests: "TestUndecodableIsParked",
			before: "hopeless := r.g.o.Poison == Park && ", after: "hopeless := ",
		},
		{
			name: "children are read beside their parents", file: groupDir + "plan.go", quick: true, tests: "TestPlan|TestChildrenAfterParents",
			before: "return kept && (!leases[p].Completed || waits(p))", after: "return kept && false",
		},
		{
			name: "a lease is moved over its owner's head", file: groupDir + "plan.go", tests: "TestPlan",
			before: "func (l Lease) held(now time.Time) bool { return l.Owner != \"\" && l.ExpiresAt.After(now) }", after: "func (l Lease) held(time.Time) bool { return false }",
		},
		{
			name: "the record has no ExplicitHashKey", file: producerDir + "send.go", quick: true, tests: "TestARecordNamesItsBucket",
			before: ", ExplicitHashKey: &p.queues[r.bucket].hashKey,", after: ",",
		},
		{
			name: "the producer takes a record that no stream takes", file: producerDir + "options.go", tests: "TestNewChecksTheOptions",
			before: "o.AggregateMax > maxAggregate", after: "false",
		},
		{
			name: "a record without a key holds up every bucket", file: producerDir + "put.go", tests: "TestPutRefusesAKey",
			before: "n < 1 || n > maxKey", after: "n > maxKey",
		},
		{
			name: "the producer trusts the count of failures", file: producerDir + "send.go", quick: true, tests: "TestEachKeysOrderThroughFailures",
			before: "if aws.ToString(r.ErrorCode) == \"\" && aws.ToString(r.SequenceNumber) != \"\" {", after: "if aws.ToInt32(out.FailedRecordCount) == 0 {",
		},
		{
			name: "a record that failed loses its pause", file: producerDir + "send.go", tests: "TestWhatFailedDoesNotTravel",
			before: "d > p.o.Linger/8 || d > 0 && q.retry != nil", after: "d > p.o.Linger/8",
		},
		{
			name: "each bucket is a call", file: producerDir + "send.go", tests: "TestAQuietStream",
			before: "nextCall := p.called.Add(p.o.Linger / 4)", after: "nextCall := p.called",
		},
		{
			name: "an idle bucket's item waits for others", file: producerDir + "queue.go", tests: "TestAQuietStream",
			before: "min(q.cutAt.Add(spacing).Sub(now), q.waiting[0].since.Add(o.Linger).Sub(now))", after: "q.waiting[0].since.Add(o.Linger).Sub(now)",
		},
		{
			name: "a busy bucket fills its shard with records", file: producerDir + "send.go", tests: "TestABusyShard",
			before: "return min(p.o.Linger, max(p.o.Spacing, time.Duration(p.perShard[q.shard])*time.Second/recordsPerShard))", after: "return p.o.Spacing",
		},
		{
			name: "a dear record is not waited for", file: producerDir + "send.go", tests: "TestASpacingIsKept",
			before: "max(p.o.Spacing, time.Duration(p.perShard[q.shard])", after: "max(0, time.Duration(p.perShard[q.shard])",
		},
		{
			name: "a shard keeps the buckets that a split took", file: producerDir + "send.go", tests: "TestSpacingFollows",
			before: "p.perShard[shard]++", after: "p.perShard[shard] = len(p.queues)",
		},
		{
			name: "a record that failed is not sent again", file: producerDir + "send.go", tests: "TestEachKeysOrderThroughFailures",
			before: "\t\tp.again(r, why)\n", after: "\t\tp.ack(r, shard)\n",
		},
		{
			name: "what the stream never takes is sent for ever", file: producerDir + "send.go", tests: "TestWhatTheStreamNeverTakes",
			before: "case CauseOf(why) != Refused:", after: "case true:",
		},
		{
			name: "a missing stream is taken for a fault of the data", file: producerDir + "refused.go", quick: true, tests: "TestWhatPasses",
			before: "\t\treturn Missing\n", after: "\t\treturn Refused\n",
		},
		{
			name: "others are refused with a record", file: producerDir + "send.go", tests: "TestNobodyIsRefused",
			before: "case err != nil && len(batch) > 1:", after: "case false:",
		},
		{
			name: "a Put's rest overtakes what was refused", file: producerDir + "refused.go", tests: "TestWhatTheStreamNeverTakes",
			before: "\tp.withdraw(q, it.put)\n", after: "",
		},
		{
			name: "the user records have no hash key", file: kplDir + "aggregate.go", tests: "TestRoundtrip|TestReadByAWS",
			before: "ExplicitHashKeyIndex: new(uint64), ", after: "",
		},
		{
			name: "an aggregate with a wrong check sum is read", file: kplDir + "deaggregate.go", tests: "TestNotAggregated|TestCorrupt",
			before: "return body, md5.Sum(body) == [md5.Size]byte(sum)", after: "return body, len(sum) > 0",
		},
		{
			name: "a reader that resumes hands a record over twice", file: readerDir + "unpack.go", quick: true, tests: "TestResumesInsideAnAggregate",
			before: "if u.Sub > done {", after: "if u.Sub >= done {",
		},
		{
			name: "a reader resumes at the beginning of an aggregate", file: readerDir + "unpack.go", tests: "TestResumesInsideAnAggregate",
			before: "\t\t\t\tdone = s.next.Sub\n", after: "",
		},
		{
			name: "a record that cannot be unpacked is left out", file: readerDir + "unpack.go", tests: "TestRecordThatCannotBeUnpacked",
			before: "return []Record{whole}\n\t}", after: "return nil\n\t}",
		},
		{
			name: "the reader reads children beside their parents", file: readerDir + "all.go", tests: "TestAllReadsChildrenAfterTheirParents",
			before: "if known[p] && !s.drained[p] {", after: "if known[p] && p == \"\" {",
		},
		{
			name: "a recreated stream is not noticed", file: readerDir + "shard.go", tests: "TestRecreatedStream",
			before: "\tif s.checked {\n", after: "\tif true || s.checked {\n",
		},
	}
}
