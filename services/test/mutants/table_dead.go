package main

const deadDir = "services/tools/deadletter/"

// deadLetters are bugs of what people do with dead letters.
func deadLetters() []mutant {
	return []mutant{
		{
			name: "a redrive deletes although its copy was not acknowledged", file: deadDir + "act.go", quick: true, tests: "TestAnActThatIsCutShort",
			before: "\t\tif err != nil {\n\t\t\tl.release(ctx)\n\t\t\tif refused(err) {", after: "\t\tif err != nil {\n\t\t\t_ = l.delete(ctx, m)\n\t\t\tif refused(err) {",
		},
		{
			name: "a redrive that got no answer counts as failed", file: deadDir + "act.go", tests: "TestAnActThatIsCutShort",
			before: "return OutcomeUnknown, \"no answer to the send:", after: "return OutcomeFailed, \"no answer to the send:",
		},
		{
			name: "a redrive loses the message's group", file: deadDir + "act.go", tests: "TestRedriveSendsFirst",
			before: "in.MessageGroupId = &group", after: "_ = group",
		},
		{
			name: "a redriven message keeps the reason of its death", file: deadDir + "act.go", tests: "TestRedriveSendsFirst",
			before: "delete(attributes, sqsworker.ReasonAttribute)", after: "delete(attributes, sqsworker.ReasonAttribute+\"s\")",
		},
		{
			name: "a redriven notification has the id that it was first sent with", file: deadDir + "act.go", tests: "TestARedrivenNotification",
			before: "in.MessageDeduplicationId = m.MessageId", after: "in.MessageDeduplicationId = new(m.Attributes[\"MessageDeduplicationId\"])",
		},
		{
			name: "an act is done that could not be written down", file: deadDir + "act.go", tests: "TestNothingIsDone",
			before: "\tif err != nil {\n\t\tl.release(ctx)\n\t\treturn Act{}, err\n\t}", after: "_ = err",
		},
		{
			name: "a discard needs no reason", file: deadDir + "acts.go", tests: "TestADiscardNeedsAReason",
			before: "case act == ActDiscard && n < leastWhy:", after: "case act == ActDiscard && n < 0:",
		},
		{
			name: "what is listed stays hidden", file: deadDir + "list.go", quick: true, tests: "TestListSays",
			before: "\tdefer l.release(ctx)\n", after: "",
		},
		{
			name: "who leaves cuts off a receive", file: deadDir + "receive.go", tests: "TestWhoLeaves",
			before: "ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWithin)\n\tdefer cancel()\n\n\tout, err :=", after: "ctx, cancel := context.WithTimeout(ctx, answerWithin)\n\tdefer cancel()\n\n\tout, err :=",
		},
		{
			name: "an act gives up where somebody else looks", file: deadDir + "receive.go", tests: "TestAnActWaits",
			before: "if hidden != \"0\" {", after: "if hidden == \"x\" {",
		},
		{
			name: "messages are listed while SQS moves them", file: deadDir + "list.go", tests: "TestRedriveAll",
			before: "\t\tmost = 0\n", after: "",
		},
		{
			name: "SQS has to know where a dead letter came from", file: deadDir + "move.go", tests: "TestRedriveAll",
			before: "SourceArn: &from, DestinationArn: &to,", after: "SourceArn: &from, DestinationArn: map[bool]*string{true: &to}[false],",
		},
		{
			name: "a row is sent again without its act", file: deadDir + "outbox.go", tests: "TestRowsOfTheOutbox",
			before: "n, err := intend(ctx, tx, act, by, l)", after: "n, err := intend(ctx, t.o.Pool, act, by, l)\n\t\terr = nil",
		},
		{
			name: "a ride that cannot be looked up does not exist", file: deadDir + "about.go", tests: "TestALetterWhose",
			before: "case !r.Known:", after: "case false:",
		},
		{
			name: "a dead letter's driver waits until its ride expires", file: rideDir + "message.go", tests: "TestADeadLettersOffer",
			before: "\tif !late {", after: "\tif true {",
		},
		{
			name: "a dead letter that was redriven is not missed", file: rideDir + "message.go", tests: "TestARedrivenRequest",
			before: "nullif(wake_at, expires_at)", after: "wake_at",
		},
		{
			name: "what a restored database has lost is dropped", file: dispatchDir + "handler.go", tests: "TestNobodyFreeGoes",
			before: ", errors.Is(err, ride.ErrAhead):", after: ":",
		},
		{
			name: "a dead letter is missed on the queue", file: rideDir + "sweep.go", tests: "TestADeadLetterIsNotMissed",
			before: " AND r.wake_at <> r.expires_at AND NOT", after: " AND NOT",
		},
		{
			name: "a request that waits looks like a dead letter", file: rideDir + "sweep.go", tests: "TestARequestThatWaits",
			before: " + interval '1 millisecond'", after: "",
		},
		{
			name: "a dead letter is too large with its reason", file: workerDir + "settle.go", tests: "TestADeadLetterWith",
			before: "n <= room && len(out)", after: "n >= 0 && len(out)",
		},
	}
}
