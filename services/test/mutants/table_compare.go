package main

const compareDir = "services/compare/"

// compares are bugs of Six maps: each of its pictures has one.
func compares() []mutant {
	return []mutant{
		{
			name: "a team of the stream drops one point in fifty", file: compareDir + "readers.go", tests: "TestLeftShares",
			before: "\t\t\t\t\tt.take(p.N, digestOf(r.Data), b.Shard)", after: "\t\t\t\t\tif p.N%50 != 0 {\n\t\t\t\t\t\tt.take(p.N, digestOf(r.Data), b.Shard)\n\t\t\t\t\t}",
		},
		{
			name: "a team of the queue drops one point in fifty", file: compareDir + "readers.go", tests: "TestLeftShares",
			before: "t.take(p.N, digestOf(m.Body), \"\")", after: "if p.N%50 != 0 {\n\t\t\t\t\tt.take(p.N, digestOf(m.Body), \"\")\n\t\t\t\t}",
		},
		{
			name: "Six maps' N is frozen", file: compareDir + "look.go", tests: "TestLeftShares",
			before: "v.Sent, v.Cars = t.handed, len(t.cars)", after: "v.Sent, v.Cars = min(t.handed, 100), len(t.cars)",
		},
		{
			name: "Six maps swaps two shards", file: compareDir + "table.go", tests: "TestLeftShares",
			before: "t.shards[shard]++", after: "t.shards[shard[:len(shard)-1]+string('0'+'1'-shard[len(shard)-1])]++",
		},
		{
			name: "a repeat counts as another point", file: compareDir + "table.go", tests: "TestDuplicatesAreNamed",
			before: "\tif t.ids[n-1] != 0 {", after: "\tif false {",
		},
		{
			name: "a new team of the stream has no past", file: compareDir + "readers.go", tests: "TestANewTeam",
			before: "start := shardreader.At(since.Add(-skew))", after: "start := shardreader.Latest()",
		},
		{
			name: "the lost table is not lost", file: compareDir + "table.go", tests: "TestALostTable",
			before: "\tt.lost = t.ids\n\tt.empty()", after: "\tt.lost = t.ids\n\tt.sum = nil",
		},
		{
			name: "the stream's worker passes the poison by itself", file: compareDir + "jobs.go", tests: "TestThePoison",
			before: "if j.skipped(ctx) {", after: "if try > 1 || j.skipped(ctx) {",
		},
		{
			name: "the newcomer stays subscribed", file: compareDir + "session.go", tests: "TestATopic",
			before: "\tif s.sub != \"\" {", after: "\tif false {",
		},
		{
			name: "Six maps runs while nobody looks", file: compareDir + "service.go", tests: "TestNothingRuns",
			before: "time.Since(s.looked) <= s.after && ctx.Err() == nil", after: "ctx.Err() == nil",
		},
		{
			name: "anybody presses the buttons of Six maps", file: compareDir + "service.go", tests: "TestOneViewerPresses",
			before: "now, mine := s.now, s.holder == viewer", after: "now, mine := s.now, true",
		},
		{
			name: "a page that is left open keeps the buttons of Six maps", file: compareDir + "service.go", tests: "TestWhoPressesNoMore",
			before: "!held || time.Since(s.pressed) > s.idle", after: "!held",
		},
		{
			name: "the tee sends a car's points out of order", file: compareDir + "tee.go", tests: "TestABatchHasACarOnce",
			before: "if cars[m.Car] || len(batch) == maxBatch {", after: "if len(batch) == maxBatch {",
		},
	}
}
