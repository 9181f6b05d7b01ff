package main

const (
	rideDir = "services/domain/ride/"
	cityDir = "services/domain/city/"
)

// rides are bugs of the state machine, of its SQL, of the sweeper, and of the search
// for where a ride begins and ends.
func rides() []mutant {
	return []mutant{
		{
			name: "Apply does not lock the ride", file: rideDir + "apply.go", quick: true, tests: "TestTheSecondOfTwoActionsSeesTheFirst",
			before: "WHERE r.id = $1 FOR UPDATE OF r`, rideID)", after: "WHERE r.id = $1`, rideID)",
		},
		{
			name: "a driver is paid for cancelled rides", file: rideDir + "earnings.go", tests: "TestEarnings",
			before: "r.state = 'completed' AND r.ended_at", after: "r.ended_at",
		},
		{
			name: "a driver's day is UTC's", file: rideDir + "earnings.go", tests: "TestEarnings",
			before: `"America/Montevideo"`, after: `"UTC"`,
		},
		{
			name: "a driver earns what all drivers earn", file: rideDir + "earnings.go", quick: true, tests: "TestEarnings",
			before: "r.driver_id = $1 AND r.state", after: "$1 <> '' AND r.state",
		},
		{
			name: "a ride with a driver is a fault of the worker", file: rideDir + "move.go", tests: "TestARideWithADriverIsTaken",
			before: "if isUnique(err, \"one_live_driver_of_a_ride\") {", after: "if false {",
		},
		{
			name: "the open offer is not read again under the lock", file: rideDir + "apply.go", quick: true, tests: "TestALateAnswerDoesNotMeetTheNextOffer",
			before: "if r, err = s.currentOffer(ctx, tx, r); err != nil {", after: "if err != nil {",
		},
		{
			name: "an action of another attempt is carried out", file: rideDir + "apply.go", tests: "TestAMessageOfAnotherAttemptIsDropped",
			before: "if a.Attempt != 0 && a.Attempt != r.Attempt {", after: "if false {",
		},
		{
			name: "a driver answers an offer that is no longer the open one", file: rideDir + "apply.go", tests: "TestActionsOfTheWrongOneAreRefused",
			before: `if r.Offer == nil || a.Offer != "" && r.Offer.ID != a.Offer {`, after: "if r.Offer == nil {",
		},
		{
			name: "a driver answers another driver's offer", file: rideDir + "apply.go", tests: "TestActionsOfTheWrongOneAreRefused",
			before: `if a.Driver != "" && r.Offer.DriverID != a.Driver {`, after: "if false {",
		},
		{
			name: "a worker with a copy of the message takes an accepted ride from its driver", file: rideDir + "apply.go", tests: "TestActionsOfTheWrongOneAreRefused",
			before: "if r.State.accepted() && !a.LoseDriver {", after: "if false {",
		},
		{
			name: "another driver ends the trip", file: rideDir + "apply.go", tests: "TestARidesWholeLife",
			before: `if a.Driver != "" && r.DriverID != a.Driver {`, after: "if false {",
		},
		{
			name: "an offer is accepted after its deadline", file: rideDir + "move.go", quick: true, tests: "TestActionsOfTheWrongOneAreRefused",
			before: "if m.now.After(m.from.Offer.ExpiresAt) {", after: "if false {",
		},
		{
			name: "an offer expires before its deadline", file: rideDir + "move.go", tests: "TestActionsOfTheWrongOneAreRefused",
			before: "if !m.now.After(m.from.Offer.ExpiresAt) {", after: "if false {",
		},
		{
			name: "a driver is offered a ride while going off duty", file: rideDir + "move.go", tests: "TestADriverWithAnOfferUnderWayStaysOnDuty",
			before: "WHERE driver_id = $1 FOR SHARE`", after: "WHERE driver_id = $1`",
		},
		{
			name: "a driver off duty is offered a ride", file: rideDir + "move.go", tests: "TestActionsOfTheWrongOneAreRefused",
			before: "errors.Is(err, pgx.ErrNoRows) || err == nil && !onDuty {", after: "errors.Is(err, pgx.ErrNoRows) {",
		},
		{
			name: "a ride looked for again keeps its attempt", file: rideDir + "move.go", tests: "TestARideIsLookedForAgain",
			before: "m.ride.Attempt++\n", after: "",
		},
		{
			name: "a ride looked for again has no message", file: rideDir + "move.go", tests: "TestARideIsLookedForAgain",
			before: "return addRequest(ctx, m.tx, m.ride, m.action.Delay, m.now)", after: "return nil",
		},
		{
			name: "the ride's delay is not passed to the message", file: rideDir + "move.go", tests: "TestARideIsLookedForAgain",
			before: "return addRequest(ctx, m.tx, m.ride, m.action.Delay, m.now)", after: "return addRequest(ctx, m.tx, m.ride, 0, m.now)",
		},
		{
			name: "a refusal brings the sweeper forward", file: rideDir + "move.go", tests: "TestARefusalDoesNotBringTheSweeperForward",
			before: "if r.wakeAt == nil || at.After(*r.wakeAt) {", after: "if true {",
		},
		{
			name: "a cancelled ride leaves its offer open", file: rideDir + "move.go", tests: "TestACancelledRideWithdrawsItsOffer",
			before: "\treturn m.closeOffer(ctx, \"withdrawn\", \"open\")\n}\n\n// requeue", after: "\treturn nil\n}\n\n// requeue",
		},
		{
			name: "a rider who lost the driver gets no more time", file: rideDir + "move.go", tests: "TestARideIsLookedForAgain",
			before: "later.After(m.ride.ExpiresAt) {", after: "false && later.IsZero() {",
		},
		{
			name: "the sweep does not look at wake_at again under the lock", file: rideDir + "sweep.go", quick: true, tests: "TestASweepLooksAgainUnderTheLock",
			before: "WHERE r.id = $1 AND r.wake_at < clock_timestamp() FOR UPDATE OF r SKIP LOCKED`", after: "WHERE r.id = $1 FOR UPDATE OF r SKIP LOCKED`",
		},
		{
			name: "the sweep waits for a locked ride", file: rideDir + "sweep.go", tests: "TestASweepSkipsALockedRide",
			before: "FOR UPDATE OF r SKIP LOCKED`", after: "FOR UPDATE OF r`",
		},
		{
			name: "the sweep never gives a ride up", file: rideDir + "sweep.go", tests: "TestTheSweeperMovesWhatNothingElseDoes",
			before: "\t\t\tif expired {", after: "\t\t\tif false {",
		},
		{
			name: "the sweep takes no driver away who vanished", file: rideDir + "sweep.go", tests: "TestTheSweeperMovesWhatNothingElseDoes",
			before: `a.Reason, a.LoseDriver = "the driver was not heard of in time", true`, after: `a.Reason = "the driver was not heard of in time"`,
		},
		{
			name: "a receive is not counted for the sweeper", file: rideDir + "message.go", tests: "TestARefusalDoesNotBringTheSweeperForward",
			before: "SET wake_at = greatest(nullif(wake_at, expires_at), clock_timestamp() + $2::interval) WHERE id = $1`", after: "SET wake_at = wake_at WHERE id = $1 AND $2::interval > '0'`",
		},
		{
			name: "a message of another attempt is received", file: rideDir + "message.go", tests: "TestAMessageOfAnotherAttemptIsDropped",
			before: "\t\tif attempt < r.Attempt {\n\t\t\treturn fmt", after: "\t\tif false {\n\t\t\treturn fmt",
		},
		{
			name: "a message is noted under the attempt that the ride has by then", file: rideDir + "message.go", tests: "TestAMessageIsNotedUnderItsOwnAttempt",
			packages: []string{"services/booking"},
			before:   "(convert_from(o.body, 'UTF8')::jsonb->'data'->>'attempt')::int", after: "r.attempt",
		},
		{
			name: "the delete of a message of before ends the stream of a ride's events", file: "services/booking/http_events.go", tests: "TestAStreamEndsWithTheDelete",
			before: "m[data.MessageID] = true", after: "m[data.MessageID] = false",
		},
		{
			name: "a stream that is resumed forgets the messages of before", file: "services/booking/http_events.go", tests: "TestAStreamThatIsResumed",
			before: "messagesLeft{}, after, int64(0)", after: "messagesLeft{}, after, after",
		},
		{
			name: "a stream that is cut looks like one that is over", file: "services/booking/http_sse.go", tests: "TestAStreamThatIsCut",
			before: "panic(http.ErrAbortHandler) }", after: "return nil }",
		},
		{
			name: "a ride is created without its request", file: rideDir + "create.go", tests: "TestARidesWholeLife",
			before: "if err := addRequest(ctx, tx, r, 0, r.RequestedAt); err != nil {", after: "if err != nil {",
		},
		{
			name: "another body under the same key is answered with the first ride", file: rideDir + "create.go", tests: "TestOneKeyIsOneRideHoweverManyAskAtOnce",
			before: "\tif !same {", after: "\tif false {",
		},
		{
			name: "a driver goes off duty in the middle of a ride", file: rideDir + "driver.go", tests: "TestARidesWholeLife",
			before: "\t\t\tif busy {", after: "\t\t\tif false {",
		},
		{
			name: "the finder is told of drivers who have a ride", file: rideDir + "driver.go", tests: "TestTheSweeperMovesWhatNothingElseDoes|TestManyOfferOneDriver",
			before: "WHERE d.on_duty AND NOT EXISTS (SELECT", after: "WHERE d.on_duty AND true OR EXISTS (SELECT",
		},
		{
			name: "the search finds the farthest house number", file: cityDir + "find.go", tests: "TestSearch",
			before: "-math.Abs(float64(e.number - wanted))", after: "math.Abs(float64(e.number - wanted))",
		},
		{
			name: "a bank in an avenue is found before the avenue", file: cityDir + "find.go", tests: "TestSearch",
			before: "cmp.Compare(a.tier, b.tier), ", after: "",
		},
	}
}
