package main

const (
	workerDir = "services/internal/queue/sqsworker/"
	outboxDir = "services/internal/queue/outbox/"
	fakeDir   = "services/internal/queue/sqstest/"
)

// queues are bugs of the worker, of the relay, of the outbox, and of the fake SQS that
// their tests rest on.
func queues() []mutant {
	return []mutant{
		{
			name: "a message of a dead worker does not count as tried again", file: workerDir + "receive.go", tests: "TestAMessageOfADeadWorkerCountsAsTriedAgain",
			before: "if out[i].Receives > 1 {", after: "if false {",
		},
		{
			name: "a refused delete counts as deleted", file: workerDir + "delete.go", quick: true, tests: "TestARefusedDeleteIsTriedAgain",
			before: "if f := failed[i]; f != nil {", after: "if f := failed[i]; false {",
		},
		{
			name: "a delete that failed is not tried again", file: workerDir + "delete.go", tests: "TestDelete",
			before: "const deleteTries = 5", after: "const deleteTries = 1",
		},
		{
			name: "the next message of a FIFO group does not wait", file: workerDir + "chain.go", quick: true, tests: "TestANextMessageOfAGroupWaits",
			before: "if before != nil {", after: "if false {",
		},
		{
			name: "the rest of a FIFO group goes on after a failure", file: workerDir + "chain.go", tests: "TestGroups",
			before: "\t\tif !goOn {", after: "\t\tif !goOn && false {",
		},
		{
			name: "a message is deleted although its visibility was lost", file: workerDir + "settle.go", quick: true, tests: "TestLostVisibility",
			before: "\tif f.lost() {\n\t\tw.o.Log.Warn(", after: "\tif false {\n\t\tw.o.Log.Warn(",
		},
		{
			name: "a dead letter is deleted although its copy was not sent", file: workerDir + "settle.go", quick: true, tests: "TestDeadLetter",
			before: "r = RetryAfter(mistakeDelay, err)\n\t\t}", after: "_ = mistakeDelay\n\t\t}",
		},
		{
			name: "a handler that panics counts as done", file: workerDir + "settle.go", tests: "TestRetries",
			before: "r = RetryAfter(mistakeDelay, fmt.Errorf(\"sqsworker: handler panicked: %v\", p))", after: "r = Done()",
		},
		{
			name: "a failure on the last try is retried", file: workerDir + "settle.go", tests: "TestAfterTheLastTry",
			before: "w.o.Tries > 0 && f.Receives >= w.o.Tries:", after: "w.o.Tries > 0 && f.Receives > w.o.Tries:",
		},
		{
			name: "a message that ended every worker is handled once more", file: workerDir + "settle.go", tests: "TestAfterTheLastTry|TestAReasonThat",
			before: "case w.o.Tries > 0 && f.Receives > w.o.Tries:", after: "case false:",
		},
		{
			name: "a handler misses a Binary attribute", file: workerDir + "message.go", tests: "TestAHandlerGetsAttributes",
			before: "out.Attributes[k] = string(v.BinaryValue)", after: "delete(out.Attributes, k)",
		},
		{
			name: "a dead letter loses its group on a standard queue", file: workerDir + "settle.go", tests: "TestADeadLetterKeeps",
			before: "if f.Group != \"\" {", after: "if f.Group != \"\" && strings.HasSuffix(w.o.DeadLetterQueue, fifoSuffix) {",
		},
		{
			name: "a dead letter's send is not in its message's trace", file: workerDir + "settle.go", tests: "TestContextIsCalled",
			before: "context.WithTimeout(context.WithoutCancel(own), w.o.callWithin())", after: "context.WithTimeout(life, w.o.callWithin())",
		},
		{
			name: "a handler does not get its receive's context", file: workerDir + "settle.go", tests: "TestContextIsCalled",
			before: "context.WithDeadlineCause(own, f.deadline", after: "context.WithDeadlineCause(f.ctx, f.deadline",
		},
		{
			name: "a delete waits although no handler is running", file: workerDir + "delete.go", tests: "TestDeletesGoAtOnce",
			before: "case <-w.idle:", after: "case <-make(chan struct{}):",
		},
		{
			name: "deletes go on waiting after a retry", file: workerDir + "chain.go", tests: "TestARetryEndsTheWait",
			before: "\t\t\tdefer w.notBusy()\n", after: "\t\t\tdefer w.busy.Add(-1)\n",
		},
		{
			name: "a delete waits for no handler", file: workerDir + "delete.go", tests: "TestADeleteWaitsFor|TestDeletesGoAtOnce",
			before: "more = w.busy.Load() > 0", after: "more = false",
		},
		{
			name: "a receive takes the first slot of a batch alone", file: workerDir + "slots.go", tests: "TestSlotsAreTaken",
			before: "(s.soon == 0 || waited)", after: "(s.soon >= 0 || waited)",
		},
		{
			name: "a retry asks SQS for more than twelve hours", file: workerDir + "inflight.go", tests: "TestARetryComesAtTheLimit",
			before: "d := min(d, w.longest(f, now))", after: "d := min(d, maxVisibility+w.longest(f, now))",
		},
		{
			name: "a heartbeat is believed to last beyond twelve hours", file: workerDir + "heartbeat.go", tests: "TestHeartbeatsLastFor",
			before: "now.Add(min(w.o.Visibility, w.longest(f, now)))", after: "now.Add(w.o.Visibility)",
		},
		{
			name: "a worker may not work without GetQueueAttributes", file: workerDir + "check.go", tests: "TestAWorkerWithoutGetQueueAttributes",
			before: "case isDenied(err):", after: "case isDenied(err) && false:",
		},
		{
			name: "a queue's URL is looked up although it was given", file: workerDir + "queue.go", tests: "TestQueuesNamedByURL",
			before: "\tif q.given {\n", after: "\tif q.given && false {\n",
		},
		{
			name: "a given URL is forgotten", file: workerDir + "queue.go", tests: "TestQueuesNamedByURL",
			before: "if q.given || !isMissing(err) {", after: "if !isMissing(err) {",
		},
		{
			name: "a refused delete is not counted", file: workerDir + "delete.go", tests: "TestMetricsOfAMessage",
			before: "w.o.Metrics.DeleteFailed()", after: "_ = 0",
		},
		{
			name: "a released message leaves twice", file: workerDir + "inflight.go", tests: "TestMetricsOf",
			before: "\tif held {", after: "\tif held || true {",
		},
		{
			name: "a handler's time has the delete's in it", file: workerDir + "settle.go", tests: "TestMetricsOfAMessage",
			before: "w.o.Metrics.Handled(o, ran)", after: "w.o.Metrics.Handled(o, max(ran, time.Since(began)))",
		},
		{
			name: "there are more pollers than allowed", file: workerDir + "pollers.go", tests: "TestPollers",
			before: "> int64(w.o.MaxPollers) {", after: "> 1000 {",
		},
		{
			name: "an idle worker keeps its pollers", file: workerDir + "pollers.go", tests: "TestPollersCome",
			before: "\t\tif len(got) == 0 {\n\t\t\treturn\n", after: "\t\tif len(got) == 0 {\n\t\t\tcontinue\n",
		},
		{
			name: "a poller receives while something is away", file: workerDir + "pollers.go", tests: "TestAPollerEnds",
			before: "if w.needed() != nil {", after: "if false {",
		},
		{
			name: "a poller keeps slots that it does not use", file: workerDir + "pollers.go", tests: "TestPollers|TestAPollerEnds",
			before: "w.slots.change(n-len(got), 0)", after: "w.slots.change(0, 0)",
		},
		{
			name: "the queue keeps no receive for the reason", file: workerDir + "check.go", tests: "TestCompare",
			before: "o.Tries > 0 && maxReceiveCount <= o.Tries", after: "o.Tries > 0 && maxReceiveCount < o.Tries",
		},
		{
			name: "a relay takes a negative time", file: outboxDir + "options.go", tests: "TestNewRelayChecks",
			before: "case o.PollEvery < 0:", after: "case false:",
		},
		{
			name: "no heartbeat is sent", file: workerDir + "heartbeat.go", tests: "TestHeartbeat",
			before: "f.ctx.Err() == nil && left <= w.o.Visibility/2", after: "f.ctx.Err() == nil && false",
		},
		{
			name: "a handler past its deadline keeps its message", file: workerDir + "heartbeat.go", tests: "TestAHandlerThatHangsLosesItsMessage",
			before: "late := !f.deadline.IsZero() && !now.Before(f.deadline)", after: "late := false",
		},
		{
			name: "a handler's context ends with the visibility, without a margin", file: workerDir + "inflight.go", tests: "TestLostVisibility",
			before: "time.AfterFunc(w.o.Visibility-w.o.margin(),", after: "time.AfterFunc(w.o.Visibility,",
		},
		{
			name: "a worker takes more than it has handlers for", file: workerDir + "receive.go", tests: "TestAtMostMaxInFlight|TestDoneIsDeleted",
			before: "\t\tw.slots.change(n-len(got), 0)\n", after: "\t\tw.slots.change(n, 0)\n",
		},
		{
			name: "the relay's lock belongs to its session", file: outboxDir + "round.go", quick: true, tests: "TestTheLockEndsWithTheTransaction",
			before: "pg_try_advisory_xact_lock($1)", after: "pg_try_advisory_lock($1)",
		},
		{
			name: "two relays send at once", file: outboxDir + "round.go", tests: "TestOneRelayOfATableWorksAtATime",
			before: "err != nil || !locked {", after: "err != nil {",
		},
		{
			name: "a message is visible too early", file: outboxDir + "choose.go", tests: "TestAMessageIsNeverVisibleTooEarly",
			before: "math.Ceil(delay)", after: "math.Floor(delay)",
		},
		{
			name: "a delay counts from the transaction's beginning", file: outboxDir + "outbox.go", tests: "TestADelayCountsFromThePromise",
			before: "clock_timestamp(), clock_timestamp() + $6, clock_timestamp())", after: "now(), now() + $6, now())",
		},
		{
			name: "a call is larger than SQS takes", file: outboxDir + "send.go", tests: "TestACallHasAMegabyteAtMost",
			before: "bytes+size(rows[n].body, rows[n].attributes) <= MaxSize", after: "true",
		},
		{
			name: "attributes count nothing towards a message's size", file: outboxDir + "check.go", tests: "TestAddRefuses",
			before: "n += len(name) + len(attributeType) + len(value)", after: "_, _ = name, value",
		},
		{
			name: "attributes are not sent", file: outboxDir + "send.go", tests: "TestAttributesArrive",
			before: "out[name] = types.MessageAttributeValue{DataType: aws.String(attributeType), StringValue: &value}", after: "_, _ = name, value",
		},
		{
			name: "a row that waits may be discarded", file: outboxDir + "set_aside.go", tests: "TestARowThatIsNotSetAside",
			before: " WHERE id = $1 AND set_aside_at IS NOT NULL", after: " WHERE id = $1",
		},
		{
			name: "a queue's fault delays each of its rows", file: outboxDir + "mark.go", tests: "TestAQueuesFaultDelaysNoRow",
			before: "if errors.As(x.err, &q) {", after: "if errors.As(x.err, &q) && false {",
		},
		{
			name: "what was just sent is deleted", file: outboxDir + "prune.go", tests: "TestPruneKeeps",
			before: "WHERE sent_at < now() - $1::interval", after: "WHERE sent_at < now() + $1::interval",
		},
		{
			name: "a later row of a key is sent while the first one waits", file: outboxDir + "choose.go", quick: true, tests: "TestAnEntryThatIsRefused",
			before: ") AS o WHERE due\n", after: ") AS o\n",
		},
		{
			name: "the next row of a key is sent although the one before failed", file: outboxDir + "send.go", quick: true, tests: "TestEachKeyKeeps|TestAnEntryThatIsRefused",
			before: "!rows[0].tried || rows[0].err != nil", after: "!rows[0].tried",
		},
		{
			name: "two rows of a key are in one call", file: outboxDir + "send.go", tests: "TestEachKeyKeeps|TestRowsOfOneKey",
			before: "wave = append(wave, rows[0])", after: "wave = append(wave, rows...)",
		},
		{
			name: "a turn begins calls until its session ends", file: outboxDir + "send.go", tests: "TestATurnOfASlowQueue",
			before: "min(beginFor, within/2)", after: "within*10",
		},
		{
			name: "a key with many rows has the turn for itself", file: outboxDir + "choose.go", tests: "TestAKeyWithManyRows",
			before: "r.turnRows/len(keys), r.turnBytes)", after: "r.turnRows, r.turnBytes)",
		},
		{
			name: "each turn begins with the first key", file: outboxDir + "choose.go", tests: "TestKeysThatWaitForARetry|TestNewKeysAtTheEnd",
			before: "\tr.walks[queue] = walk{open: true, after: keys[len(keys)-1], last: w.last}\n", after: "",
		},
		{
			name: "a walk has no end while new keys come", file: outboxDir + "choose.go", tests: "TestNewKeysAtTheEnd",
			before: "` AND key <= $4`", after: "` AND $4 <> ''`",
		},
		{
			name: "what the bytes cut off waits for the next walk", file: outboxDir + "choose.go", tests: "TestATurnTakesSomeBytes",
			before: "if bytes >= r.turnBytes {", after: "if false {",
		},
		{
			name: "a turn takes any number of bytes", file: outboxDir + "choose.go", tests: "TestATurnTakesSomeBytes",
			before: "WHERE bytes_before < $4", after: "WHERE bytes_before < $4 * 1000",
		},
		{
			name: "an outbox that nobody can count is empty", file: "services/internal/queuemetrics/outbox.go", tests: "TestOutbox",
			before: "\t\tif err != nil {\n\t\t\treturn\n", after: "\t\tif err != nil {\n\t\t\tc.at = time.Now()\n",
		},
		{
			name: "an open ride is removed by its age", file: "services/domain/ride/retention.go", tests: "TestEndedRidesLeave",
			before: "WHERE wake_at IS NULL AND ended_at < clock_timestamp()", after: "WHERE coalesce(ended_at, requested_at) < clock_timestamp()",
		},
		{
			name: "a young ride is removed", file: "services/domain/ride/retention.go", tests: "TestEndedRidesLeave",
			before: "ended_at < clock_timestamp() - $1::interval", after: "requested_at < clock_timestamp() - $1::interval",
		},
		{
			name: "a setting removes what a message would look for", file: "services/internal/retention/retention.go", tests: "TestNothingIsKept",
			before: "o.Keep < least {", after: "o.Keep < least && false {",
		},
		{
			name: "a lost ride counts as removed", file: "services/tools/audit/promises.go", tests: "TestARemovedRide",
			before: "now.Sub(r.at) > keep", after: "now.Sub(r.at) > 0",
		},
		{
			name: "an entry that SQS did not answer for counts as sent", file: outboxDir + "send.go", quick: true, tests: "TestAnUnansweredEntryIsSentAgain",
			before: "fail(rows, errors.New(\"SQS did not answer for this entry\"))", after: "fail(rows, nil)",
		},
		{
			name: "the delay is not sent", file: outboxDir + "send.go", tests: "TestTheDelayIsSent",
			before: "e.DelaySeconds = int32(x.delay / time.Second)", after: "e.DelaySeconds = int32(x.delay / time.Hour)",
		},
		{
			name: "a FIFO row has a new deduplication id each time", file: outboxDir + "send.go", tests: "TestACrashBetweenSendAndCommit",
			before: "e.MessageGroupId, e.MessageDeduplicationId = &x.key, &x.id", after: "e.MessageGroupId, e.MessageDeduplicationId = &x.key, aws.String(fmt.Sprint(time.Now().UnixNano()))",
		},
		{
			name: "a batch is cut off when the relay is told to stop", file: outboxDir + "round.go", tests: "TestATurnThatIsUnderWayIsFinished",
			before: "context.WithTimeout(context.WithoutCancel(ctx), r.o.SendWithin+writeWithin)", after: "context.WithTimeout(ctx, r.o.SendWithin+writeWithin)",
		},
		{
			name: "a send outlasts the session's time-outs", file: outboxDir + "round.go", tests: "TestASendEndsBeforeItsSession",
			before: "within = min(within, time.Duration(limit)*time.Millisecond/2)", after: "within = max(within, time.Duration(limit)*time.Millisecond*2)",
		},
		{
			name: "a hook that fails unmarks what was acknowledged", file: outboxDir + "mark.go", quick: true, tests: "TestWhatWasAcknowledgedIsMarked",
			before: "return done + len(sent), r.note(ctx, tx, sent, time.Now().Add(noteWithin))", after: "if r.o.OnSent != nil && len(sent) > 0 {\n\t\treturn 0, r.o.OnSent(ctx, tx, sent)\n\t}\n\treturn done + len(sent), nil",
		},
		{
			name: "a row that SQS refuses for good is tried for ever", file: outboxDir + "mark.go", tests: "TestARowThatIsRefusedForGood",
			before: "case errors.Is(x.err, errRefused):", after: "case false:",
		},
		{
			name: "the fake hands out a group of which one is in flight", file: fakeDir + "receive.go", tests: "TestRules",
			before: "\t\t\tblocked[m.Group] = true\n\t\t}\n", after: "\t\t}\n",
		},
		{
			name: "the fake receives once too often before a dead letter", file: fakeDir + "receive.go", tests: "TestRules|TestTheFakeAnswers",
			before: "m.receives >= q.set.MaxReceives", after: "m.receives > q.set.MaxReceives",
		},
		{
			name: "the fake hides for more than twelve hours", file: fakeDir + "settle.go", tests: "TestRules|TestTheFakeAnswers",
			before: "case now.Add(d).After(m.received.Add(maxVisibility)):", after: "case false:",
		},
		{
			name: "the fake loses the answer of what it has not done", file: fakeDir + "fault.go", tests: "TestFaultsOfACall",
			before: "func LoseAnswer(err error) Fault {\n\treturn Fault{after:", after: "func LoseAnswer(err error) Fault {\n\treturn Fault{before:",
		},
		{
			name: "a body that SQS refuses is promised", file: outboxDir + "outbox.go", tests: "TestAdd",
			before: "\tif err := m.check(); err != nil {", after: "\tif err := m.check(); err != nil && len(m.Body) < 0 {",
		},
	}
}
