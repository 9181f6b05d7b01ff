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
			before: "h.rides.FreeDrivers(ctx, without(near, asked[r.ID].Not))", after: "h.rides.FreeDrivers(ctx, without(near, asked[\"\"].Not))",
		},
		{
			name: "a driver who has refused is asked again in the next attempt", file: rideDir + "asked.go", tests: "TestWhoWasAskedBefore",
			before: "bool_or(o.state = 'refused' OR o.attempt = r.attempt)", after: "bool_or(o.attempt = r.attempt)",
		},
		{
			name: "who let an offer pass comes first again", file: dispatchDir + "offer.go", tests: "TestWhoRefusedIsNotAskedAgain",
			before: "cost += lastResort", after: "cost += 0",
		},
		{
			name: "a worker thinks of its own ride alone", file: dispatchDir + "offer.go", tests: "TestTheRideThatWaitsLongestGoesFirst|TestOneRuleForRidesAndDrivers",
			before: "for _, w := range waiting {\n\t\treach", after: "for _, w := range waiting[:0] {\n\t\treach",
		},
		{
			name: "a car beside the pick-up goes round the block", file: dispatchDir + "finder.go", tests: "TestACarBesideThePickup",
			before: "d <= besideThePickup {", after: "d < 0 {",
		},
		{
			name: "a rider at the edge waits for ever", file: dispatchDir + "offer.go", tests: "TestProposals",
			before: "cost := d.away - waited", after: "cost := d.away - 0*waited",
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
			name: "a notice is hidden as long as a ride request", file: notificationDir + "run.go", tests: "TestALostAnswer",
			before: "Visibility: cfg.Profile.NoticeVisibility,", after: "Visibility: cfg.Profile.Visibility,",
		},
		{
			name: "when a message was sent is not SQS's time", file: dispatchDir + "steps.go", tests: "TestTheHistorySaysWhenSQSGotTheMessage",
			before: "SentAt: m.SentAt}", after: "SentAt: time.Now()}",
		},
		{
			name: "a try that failed looks like one whose worker died", file: dispatchDir + "run.go", tests: "TestATryThatFailedIsInTheHistory",
			before: "err = store.TryEnded(ctx, req.RideID, receipt(m, worker), string(o))", after: "err = nil",
		},
		{
			name: "the terminal does not say what was started again", file: "services/demo/state.go", tests: "TestDemoStartsRestartsAndLeavesNothing",
			before: "d.tellRestart(*p, st)", after: "",
		},
		{
			name: "an event comes twice into the inbox", file: notificationDir + "store.go", tests: "TestEachEventOnce",
			before: "if err != nil || tag.RowsAffected() == 0 {", after: "if err != nil || tag.RowsAffected() > 1 {",
		},
		{
			name: "two workers send one SMS", file: notificationDir + "store.go", tests: "TestEachEventOnce|TestAClaim",
			before: "d.claimed_at < now() - $2::interval)\n\t\tRETURNING", after: "d.claimed_at < now() + $2::interval)\n\t\tRETURNING",
		},
		{
			name: "a text is sent to a number that nobody verified", file: notificationDir + "store.go", tests: "TestNoTextBefore",
			before: "if !c.Verified {", after: "if c.Phone == \"\" {",
		},
		{
			name: "a text is sent to the number that came meanwhile", file: notificationDir + "store.go", tests: "TestATextWhose",
			before: "c.rider_id = d.rider_id AND c.verified_at IS NOT NULL\n\t\t  AND (", after: "c.rider_id = d.rider_id AND c.phone IS NOT NULL\n\t\t  AND (",
		},
		{
			name: "the cap of a rider's day counts nothing", file: notificationDir + "store.go", tests: "TestTextsBeyond",
			before: "state <> 'not_sent' AND created_at >", after: "state = 'not_sent' AND created_at >",
		},
		{
			name: "a plate is whatever the message says", file: notificationDir + "text.go", tests: "TestNobodysWords",
			before: "if !plates.MatchString(n.Plate) {", after: "if n.Plate == \"\" {",
		},
		{
			name: "somebody's reason goes into the notice", file: "services/domain/ride/history.go", tests: "TestNobodysWords", packages: []string{"services/booking"},
			before: "if m.action.Operator {\n\t\tnotice.Reason = event.ReasonOperator", after: "if m.action.Reason != event.ReasonOperator {\n\t\tnotice.Reason = m.action.Reason",
		},
		{
			name: "a code can be guessed at for ever", file: notificationDir + "store_contact.go", tests: "TestACodeIsGuessedAt",
			before: "k.tries < $2 AND", after: "k.tries < $2 + 100 AND",
		},
		{
			name: "another phone stays verified", file: notificationDir + "store_contact.go", tests: "TestNoTextBefore",
			before: "verified_at = CASE WHEN contacts.phone = excluded.phone THEN contacts.verified_at END", after: "verified_at = contacts.verified_at",
		},
		{
			name: "codes are counted without the lock", file: notificationDir + "store_contact.go", tests: "TestCodesAreCapped",
			before: "SELECT pg_advisory_xact_lock($1)`, codesLock)", after: "SELECT $1::bigint`, codesLock)",
		},
		{
			name: "the client drops points that no answer named", file: clientDir + "track.go", tests: "TestTrack",
			before: "if err == nil || answer.Status == http.StatusBadRequest {", after: "if true {",
		},
		{
			name: "the client keeps more points than its limit", file: clientDir + "track.go", tests: "TestTrack",
			before: "if len(t.pending) > t.limit {", after: "if false {",
		},
		{
			name: "the client drops points that are in flight", file: clientDir + "track.go", tests: "TestTrack",
			before: "slices.Delete(t.pending, t.inFlight, t.inFlight+1)", after: "slices.Delete(t.pending, 0, 1)",
		},
		{
			name: "two fixes of one millisecond have one sequence", file: clientDir + "track.go", tests: "TestTrack",
			before: "return max(last+1, at.UnixMilli())", after: "return max(last, at.UnixMilli())",
		},
	}
}
