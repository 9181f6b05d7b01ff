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
			name: "a service that hangs is said to restart", file: gatewayDir + "proxy.go", tests: "TestTheGatewaySaysWhatIsTrue",
			before: "if errors.As(err, &slow) && slow.Timeout() {", after: "if errors.As(err, &slow) && !slow.Timeout() {",
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
