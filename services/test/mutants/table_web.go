package main

const srcDir = "web/src/"

// pages are bugs of the page's own code: each of its pictures has one. Vitest runs
// their tests, which are those of the file beside them.
func pages() []mutant {
	return []mutant{
		{
			name: "Six maps draws a missed point as if it had been received", file: srcDir + "compare/draw.ts", quick: true, tests: "draw",
			before: "if (table.has.has(n)) {", after: "if (n > 0) {",
		},
		{
			name: "Six maps draws a line over a point that was missed", file: srcDir + "compare/draw.ts", tests: "draw",
			before: "if (!drawn.has(other)) continue;", after: "if (other === 0) continue;",
		},
		{
			name: "both heatmaps show the stream's points", file: srcDir + "compare/draw.ts", tests: "draw",
			before: `side === "queue" ? left : right`, after: "right",
		},
		{
			name: "the job that nobody can do is drawn as one that waits", file: srcDir + "compare/tiles.ts", tests: "draw",
			before: "of?.failed?.tile === tile)", after: "of?.failed?.tile === 0)",
		},
		{
			name: "a team's bar is full though it missed points", file: srcDir + "compare/column.tsx", tests: "bar",
			before: "width={100 * Math.min(1, share)}", after: "width={100 * Math.ceil(share)}",
		},
		{
			name: "the page's N is frozen", file: srcDir + "compare/answers.ts", quick: true, tests: "answers",
			before: "[Math.min(first.n, this.points.length), true]", after: "[this.settled || Math.min(first.n, this.points.length), true]",
		},
		{
			name: "points on their way count as missed", file: srcDir + "compare/answers.ts", tests: "answers",
			before: "this.sent[1].at <= answer.at - settling", after: "this.sent[1].at <= answer.at",
		},
		{
			name: "overlap is added where it is to be subtracted", file: srcDir + "compare/sums.ts", tests: "answers",
			before: "const overlap = total(sums.queue) - sums.union;", after: "const overlap = total(sums.queue) + sums.union;",
		},
		{
			name: "a team that lacks points is called whole", file: srcDir + "compare/steps.ts", tests: "verdicts",
			before: "three.every((t) => t.have >= of)", after: "three.some((t) => t.have >= of)",
		},
		{
			name: "a checksum that differs is called the same bytes", file: srcDir + "compare/steps.ts", tests: "verdicts",
			before: "lost.checksum_again === lost.checksum_before", after: "lost.again === lost.before",
		},
		{
			name: "a ride's command shows the messages of all rides", file: srcDir + "rider/commands.ts", tests: "commands",
			before: ` | select(.id == "${message}")'`, after: "'",
		},
		{
			name: "a ride's command reads the shard from its beginning", file: srcDir + "rider/commands.ts", tests: "commands",
			before: "AT_SEQUENCE_NUMBER --starting-sequence-number ${sequence}", after: "TRIM_HORIZON",
		},
		{
			name: "a pin's label covers the other pin", file: srcDir + "map/label.ts", tests: "label",
			before: "within(b) && !covers(b)) ??", after: "within(b)) ??",
		},
		{
			name: "two shards are swapped in the stream's lanes", file: srcDir + "home/stream-strip.tsx", tests: "strip-pictures",
			before: "lanePath(s.bins, ", after: "lanePath(shards[i ^ 1]?.bins ?? s.bins, ",
		},
		{
			name: "late frames make the map show the past as if it were now", file: srcDir + "map/fleet.ts", tests: "fleet",
			before: "ahead > 0 ? clockForward : clockBack", after: "ahead > 0 ? clockForward : clockForward",
		},
		{
			name: "the list beside the map has cars that the map does not show", file: srcDir + "map/cars-in-view.ts", tests: "cars-in-view",
			before: "if (x < 0 || y < 0 || x > p.width || y > p.height) return;", after: "if (x < 0) return;",
		},
		{
			name: "a speed that is not known is listed as 0", file: srcDir + "map/cars-in-view.ts", tests: "cars-in-view",
			before: `speed === undefined ? "?" : `, after: `speed === undefined ? "0 km/h" : `,
		},
		{
			name: "every message that comes to a worker travels at once", file: srcDir + "home/strips.ts", tests: "strips",
			before: "Math.min(came, Math.max(0, mostTravel - out.all))", after: "came",
		},
		{
			name: "a message is drawn in no worker's places", file: srcDir + "home/queue-strip.tsx", tests: "strip-pictures",
			before: "if (i >= held) return", after: "if (i >= 0) return",
		},
		{
			name: "what a worker holds that nobody knows is shown as 0", file: srcDir + "home/queue-strip.tsx", tests: "strip-pictures",
			before: `{!known && <text`, after: `{!known && false && <text`,
		},
		{
			name: "a tick is drawn before the message is deleted", file: srcDir + "rider/queue-steps.ts", tests: "queue-steps",
			before: "ahead = (from: number): QueueStep[] => way.slice(from).map((step) => ({ ...step, reached: false }));",
			after:  `ahead = (from: number): QueueStep[] => way.slice(from).map((step) => ({ ...step, reached: step.kind === "deleted" }));`,
		},
		{
			name: "a driver's no branches off nowhere", file: srcDir + "rider/rail.ts", tests: "rail",
			before: "branches: [branch] });", after: "branches: [] });",
		},
		{
			name: "a car's points of the rider's rail count twice", file: srcDir + "rider/use-driven.ts", tests: "rail",
			before: "more.filter((p) => p.seq > last)", after: "more",
		},
		{
			name: "an ETA counts no stop", file: srcDir + "rider/remaining.ts", quick: true, tests: "remaining",
			before: "return pace > slowest ? now.metres / pace : undefined;", after: "return now.metres / Math.max(Math.abs(pace), slowest);",
		},
		{
			name: "what is stale is shown as fresh", file: srcDir + "api/age.ts", quick: true, tests: "age",
			before: `now - then > staleAfter ? "stale" : "fresh"`, after: `now - then > 1000 * staleAfter ? "stale" : "fresh"`,
		},
		{
			name: "a number that nobody knows is shown as 0", file: srcDir + "ui/stale.tsx", quick: true, tests: "stale",
			before: "if (of === null || of === undefined) {\n    return (", after: "if (of === null) return <span>0</span>;\n  if (of === undefined) {\n    return (",
		},
		{
			name: "a tail is longer than 8 s", file: srcDir + "map/tails.ts", tests: "tails",
			before: "tailFor = 8_000;", after: "tailFor = 12_000;",
		},
		{
			name: "the console's line goes on where nothing was heard", file: srcDir + "console/use-series.ts", tests: "use-series",
			before: `=== "fresh" ? (value ?? null) : null`, after: `=== "fresh" ? (value ?? null) : (value ?? 0)`,
		},
	}
}
