package main

const supervisorDir = "services/demo/supervisor/"

// demo are bugs of what runs it all on one machine.
func demo() []mutant {
	return []mutant{
		{
			name: "a process that hangs is left alone", file: supervisorDir + "hung.go", tests: "TestSilence|TestAProcessThatHangs",
			before: "s.lasted += min(since, s.most)", after: "s.lasted = min(since, s.most)",
		},
		{
			name: "a process that is still starting is killed", file: supervisorDir + "hung.go", tests: "TestSilence",
			before: "if s.heard {", after: "if true {",
		},
		{
			name: "a laptop that was asleep kills everything", file: supervisorDir + "hung.go", tests: "TestSilence",
			before: "s.lasted += min(since, s.most)", after: "s.lasted += since",
		},
		{
			name: "Postgres has a port that any connection may take", file: "services/demo/pgserver/pgserver.go", tests: "TestThePort",
			before: "port < endOfPort && free(port)", after: "free(port)",
		},
		{
			name: "a service that hangs is said to restart", file: gatewayDir + "proxy.go", tests: "TestTheGatewaySaysWhatIsTrue",
			before: "if errors.As(err, &slow) && slow.Timeout() {", after: "if errors.As(err, &slow) && !slow.Timeout() {",
		},
		{
			name: "location drains for longer than it may", file: locationDir + "run.go", tests: "TestDrainingTakes",
			before: "lifecycle.DrainTimeout - sendRest", after: "lifecycle.DrainTimeout",
		},
		{
			name: "the slow trip's driver thinks past the offer's deadline", file: "services/simulator/slow_trip.go", tests: "TestTheSlowTripsDriver",
			before: "min(slowThink, o.ExpiresAt.Sub(now)-answerBefore)", after: "slowThink",
		},
		{
			name: "a driver of an earlier run stays away", file: "services/simulator/before.go", tests: "TestDriversOfAnEarlierRun",
			before: "if err != nil || known[r.DriverID]", after: "if r.State == client.PickedUp || known[r.DriverID]",
		},
		{
			name: "a driver of another simulator is driven twice", file: "services/simulator/before.go", tests: "TestDriversOfAnEarlierRun",
			before: "time.Since(time.UnixMilli(last)) > absentAfter", after: "last > 0",
		},
		{
			name: "a driver waits for its points", file: clientDir + "driver.go", tests: "TestADriverDoesNotWait",
			before: "d.move(now, now.Sub(before))", after: "d.move(now, now.Sub(before))\n\t\t\td.flush(ctx)",
		},
		{
			name: "a driver goes off duty with fixes on their way", file: clientDir + "fixes.go", tests: "TestADriverGoesOffDuty",
			before: "d.track.Waiting() == 0 ||", after: "true ||",
		},
	}
}
