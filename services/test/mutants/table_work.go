package main

const (
	dispatchDir     = "services/dispatch/"
	clientDir       = "services/client/"
	notificationDir = "services/notification/"
)

// work are bugs of the queue's workers, and of what the apps' client promises.
func work() []mutant {
	return []mutant{
		{
			name: "a driver who has refused is asked again", file: dispatchDir + "steps.go", tests: "TestOffersToTheNext|TestARefusalThen",
			before: "h.rides.FreeDrivers(ctx, without(near, tried))", after: "h.rides.FreeDrivers(ctx, without(near, tried[:0]))",
		},
		{
			name: "nobody free is a failure of the message", file: dispatchDir + "steps.go", tests: "TestNobodyFree",
			before: "return h.do(ctx, r, ride.Action{Kind: ride.ActRequeue, Delay: h.noDriver, Reason: \"no driver is free\"})", after: "return r, errors.New(\"no driver is free\")",
		},
		{
			name: "a worker acts for any attempt", file: dispatchDir + "steps.go", tests: "Test.*Attempt|TestARefusalThen|TestOffersToTheNext|TestACopyOfTheMessage",
			packages: []string{"services/dispatch", "services/booking"},
			before:   "a.Attempt = r.Attempt", after: "a.Attempt = 0",
		},
		{
			name: "the ride does not hear why its message is a dead letter", file: dispatchDir + "handler.go", tests: "TestAFailureIsRetriedAndADeadLetterIsTold",
			before: "return h.rides.DeadLettered(ctx, req.RideID, req.Attempt, reason, h.by())", after: "return nil",
		},
		{
			name: "an event comes twice into the inbox", file: notificationDir + "store.go", tests: "TestEachEventOnce",
			before: "if err != nil || tag.RowsAffected() == 0 {", after: "if err != nil || tag.RowsAffected() > 1 {",
		},
		{
			name: "two workers send one SMS", file: notificationDir + "store.go", tests: "TestEachEventOnce|TestAClaim",
			before: "d.state = 'claimed' AND d.claimed_at < now() - $2::interval", after: "d.state = 'claimed' AND d.claimed_at < now() + $2::interval",
		},
		{
			name: "the client drops points that no answer named", file: clientDir + "track.go", tests: "TestTrack",
			before: "case answer.AcceptedThrough > 0:", after: "case answer.AcceptedThrough >= 0:\n\t\t\tt.drop(batch[len(batch)-1].Seq)\n\t\tcase false:",
		},
		{
			name: "the client keeps more points than its limit", file: clientDir + "track.go", tests: "TestTrack",
			before: "if len(t.pending) >= t.limit {", after: "if false {",
		},
		{
			name: "two fixes of one millisecond have one sequence", file: clientDir + "track.go", tests: "TestTrack",
			before: "return max(last+1, at.UnixMilli())", after: "return max(last, at.UnixMilli())",
		},
	}
}
