package main

const scaleDir = "services/internal/queue/autoscale/"

// scales are bugs of who says how many workers there should be.
func scales() []mutant {
	return []mutant{
		{
			name: "a queue that does not answer counts as empty", file: scaleDir + "plan.go", quick: true, tests: "TestPlan|TestWantStaysWithin",
			before: "if at.Queue == nil || now.Sub(at.At) > p.Fresh {", after: "if at.Queue == nil {\n\t\tat.Queue = &Queue{}\n\t\ts[len(s)-1] = at\n\t}\n\tif now.Sub(at.At) > p.Fresh {",
		},
		{
			name: "a look of long ago counts as one of now", file: scaleDir + "plan.go", tests: "TestPlan",
			before: "|| now.Sub(at.At) > p.Fresh {", after: "{",
		},
		{
			name: "workers are added for those that are on their way", file: scaleDir + "plan.go", tests: "TestPlan|TestAStepConverges",
			before: "ok && ago < p.WarmUp {", after: "ok && ago < p.WarmUp && false {",
		},
		{
			name: "a scale-in leaves the others too busy", file: scaleDir + "sample.go", tests: "TestPlan|TestWantStaysWithin|TestAStepConverges",
			before: "&& float64(look.Queue.InFlight) <= BusyShare*float64(left*p.Holds)", after: "&& left >= 0",
		},
		{
			name: "a scale-in comes without a wait", file: scaleDir + "plan.go", tests: "TestPlan|TestChangesOfDirection",
			before: "case calm < p.ScaleInAfter:", after: "case calm < 0:",
		},
		{
			name: "a scale-in follows a scale-out at once", file: scaleDir + "sample.go", tests: "TestPlan",
			before: " || look.Workers != workers ||", after: " || look.Workers < 0*workers ||",
		},
		{
			name: "a time in which nobody looked counts as calm", file: scaleDir + "sample.go", tests: "TestNobodyLookedForAWhile",
			before: "if next.Sub(look.At) > p.Fresh ||", after: "if next.IsZero() ||",
		},
		{
			name: "workers that start count for the age", file: scaleDir + "sample.go", tests: "TestPlan",
			before: "fewest = min(fewest, s[i].Ready)", after: "_ = fewest",
		},
		{
			name: "one old message is a reason for every worker", file: scaleDir + "plan.go", tests: "TestPlan",
			before: "case want > useful:", after: "case false:",
		},
		{
			name: "there is no most", file: scaleDir + "plan.go", tests: "TestPlan|TestWantStaysWithin",
			before: "if need.workers > p.Max {", after: "if false {",
		},
		{
			name: "a recording shows zero where nothing is known", file: "services/tools/scaling/svg.go", tests: "TestAPictureHasAGap",
			before: "if p.Known || !l.gaps {", after: "if true {",
		},
		{
			name: "a count of SQS that is old is recorded as one of now", file: "services/tools/scaling/look.go", tests: "TestRecordKeeps",
			before: "q.Error != \"\" || ", after: "",
		},
		{
			name: "the dead-letter queue counts as backlog", file: "services/tools/scaling/look.go", tests: "TestRecordKeeps|TestWatchPrints",
			before: "q.Name != event.QueueRideRequests || ", after: "q.Name == event.QueueNotifications || ",
		},
		{
			name: "the busiest worker is retired", file: "services/demo/workers.go", quick: true, tests: "TestTheLeastBusyWorker|TestWorkersFollow",
			before: "held <= fewest", after: "held >= fewest",
		},
		{
			name: "a worker that does not answer counts as idle", file: "services/demo/workers.go", tests: "TestTheLeastBusyWorker",
			before: "return unknownHeld", after: "return unknownHeld * 0",
		},
		{
			name: "a retired process stays in the table", file: supervisorDir + "supervisor.go", tests: "TestARetiredProcessIsForgotten",
			before: "s.closeProcess(p)\n\t\treturn true", after: "s.closeProcess(p)\n\t\treturn false",
		},
		{
			name: "half a file takes the workers from the console", file: "services/console/workers.go", tests: "TestWorkersAreThoseOfTheFile",
			before: "r.failed = true\n\t\treturn r.peers", after: "r.failed = true\n\t\treturn nil",
		},
		{
			name: "the console misses a worker that was retired", file: "services/console/workers.go", tests: "TestWorkersAreThoseOfTheFile",
			before: "r.failed, r.decision, r.peers = false, f.Decision, nil", after: "r.failed, r.decision = false, f.Decision",
		},
	}
}
