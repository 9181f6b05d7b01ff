package main

const (
	historyDir = "services/history/"
	heatmapDir = "services/heatmap/"
	mapfeedDir = "services/mapfeed/"
	nearbyDir  = "services/nearby/"
	pointsDir  = "services/domain/points/"
	areasDir   = "services/domain/areas/"
	consoleDir = "services/console/"
)

// readers are bugs of the four readers and of what they share.
func readers() []mutant {
	return []mutant{
		{
			name: "history writes the checkpoint in a transaction of its own", file: historyDir + "store_write.go", quick: true, tests: "TestRowsAndCheckpointAreOneTransaction",
			before: "\t\treturn commit(ctx, tx)\n\t})\n\tif err != nil {", after: "\t\treturn nil\n\t})\n\tif err == nil {\n\t\terr = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return commit(ctx, tx) })\n\t}\n\tif err != nil {",
		},
		{
			name: "heatmap writes the checkpoint in a transaction of its own", file: heatmapDir + "lease.go", quick: true, tests: "TestRowsAndCheckpointAreOneTransaction",
			before: "\t\treturn commit(ctx, tx)\n\t})\n\tif err != nil {", after: "\t\treturn nil\n\t})\n\tif err == nil {\n\t\terr = pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error { return commit(ctx, tx) })\n\t}\n\tif err != nil {",
		},
		{
			name: "a batch with a repeat stores none of its new points", file: historyDir + "store_write.go",
			before: "return s.insertNew(ctx, tx, batch)", after: "return 0, nil",
		},
		{
			name: "history's mark is not the highest sequence", file: historyDir + "store_write.go", tests: "TestNewestIsTheHighestSequence",
			before: "WHERE driver = d ORDER BY day DESC, seq DESC LIMIT 1", after: "WHERE driver = d ORDER BY day, seq LIMIT 1",
		},
		{
			name: "history stores 0 for what is not known", file: historyDir + "store_write.go", tests: "TestWhatIsNotKnownIsNull",
			before: "if x == nil {\n\t\treturn nil", after: "if x == nil {\n\t\treturn float32(0)",
		},
		{
			name: "history does not flag what does not rise", file: historyDir + "store_write.go",
			before: "a.Arrived, a.Shard, !a.Rises,", after: "a.Arrived, a.Shard, false,",
		},
		{
			name: "a dropped day is created again", file: historyDir + "store_days.go", tests: "TestAWeekIsDropped",
			before: "day).Scan(&dropped); err != nil || dropped {", after: "day).Scan(&dropped); err != nil {",
		},
		{
			name: "history believes that a dropped day is there", file: historyDir + "store_write.go", tests: "TestAWeekIsDropped",
			before: "pg.Code == checkViolation {", after: "pg.Code == checkViolation && false {",
		},
		{
			name: "a drop holds up writers", file: historyDir + "store_retention.go", tests: "TestADropHoldsUpNoWriter",
			before: "dropLockWait = 100 * time.Millisecond", after: "dropLockWait = 7 * time.Second",
		},
		{
			name: "a drop that waited for a writer does not look again", file: historyDir + "store_retention.go", tests: "TestADropLeavesADay",
			before: "IN SHARE MODE`", after: "IN ACCESS SHARE MODE`",
		},
		{
			name: "playback is whole up to where the fastest shard stands", file: groupDir + "applied.go", tests: "TestAGroupIsAppliedTo",
			before: "SELECT min(greatest", after: "SELECT max(greatest",
		},
		{
			name: "a public map is made before its minute is counted", file: heatmapDir + "public_minute.go", tests: "TestAMinuteThatIsNotCounted",
			before: "if from.After(newestMinute(applied)) {", after: "if false {",
		},
		{
			name: "a second erasure forgets what the first has counted", file: historyDir + "store_erase.go", tests: "TestWhatWasUnread",
			before: "seq = greatest(e.seq, excluded.seq)\n", after: "seq = excluded.seq\n",
		},
		{
			name: "a rider sees its driver before the pick-up", file: historyDir + "http_track.go", tests: "TestARidesTrack",
			before: "if from.Before(began) {", after: "if false {",
		},
		{
			name: "heatmap counts a repeat", file: heatmapDir + "tally.go", quick: true, tests: "TestBatchesDecideNothing",
			before: "\t\tif !p.Rises && !p.Returns {", after: "\t\tif false {",
		},
		{
			name: "a batch of heatmap's replaces the count of the one before", file: heatmapDir + "store_write.go", tests: "TestBatchesAddUpInTheStore",
			before: "SET n = c.n + excluded.n,", after: "SET n = excluded.n,",
		},
		{
			name: "a window's first arrival is that of the last batch", file: heatmapDir + "store_write.go", tests: "TestBatchesAddUpInTheStore",
			before: "first_arrived = least(c.first_arrived, excluded.first_arrived)", after: "first_arrived = excluded.first_arrived",
		},
		{
			name: "a span has its whole hours by the minute too", file: heatmapDir + "store.go", tests: "TestAnySpanAddsUpItsMinutes",
			before: "window_at >= $2 AND window_at < $3", after: "window_at >= $2 AND window_at < $4",
		},
		{
			name: "a span has the whole of the hour it begins in", file: heatmapDir + "store.go", tests: "TestAnySpanAddsUpItsMinutes",
			before: "from.Add(time.Hour-1).Truncate", after: "from.Truncate",
		},
		{
			name: "a viewport leaves out cells at its edge", file: heatmapDir + "store.go", tests: "TestNoCellOfAViewIsLeftOut",
			before: "max(most, int64(c.RangeMax()))", after: "max(most, int64(c.RangeMin()))",
		},
		{
			name: "a replay leaves the hours as they were", file: heatmapDir + "store_replay.go", tests: "TestAReplayHoldsUpNoReader",
			before: "err := hoursAgain(ctx, tx, generation); err != nil", after: "err := error(nil); err != nil",
		},
		{
			name: "a mark goes back", file: heatmapDir + "lease.go", tests: "TestBatchesAddUpInTheStore",
			before: "seq = greatest(m.seq, excluded.seq)", after: "seq = excluded.seq",
		},
		{
			name: "the next lease does not find what was raised", file: heatmapDir + "lease.go", tests: "TestMarksAreOfCommittedBatches",
			before: "if !l.merged {", after: "if false {",
		},
		{
			name: "a lease merges its marks without those of the batches before", file: heatmapDir + "lease.go", tests: "TestMarksAreOfCommittedBatches",
			before: "\t\tfor d, seq := range l.raised {\n\t\t\trows[d] = seq\n\t\t}\n", after: "",
		},
		{
			name: "a lease never merges its marks", file: heatmapDir + "lease.go", tests: "TestMarksAreOfCommittedBatches",
			before: "merge := l.rows >= maxRows ||", after: "merge := false && l.rows >= maxRows &&",
		},
		{
			name: "a lease remembers presence that was not committed", file: heatmapDir + "lease.go", tests: "TestALeaseWritesPresenceOnce",
			before: "\tif err != nil {\n\t\treturn points.Outcome{}, err\n\t}\n\n\t// Only now", after: "\tif err != nil {\n\t\tl.remember(t, false)\n\t\treturn points.Outcome{}, err\n\t}\n\n\t// Only now",
		},
		{
			name: "presence is written with every point", file: heatmapDir + "lease.go", tests: "TestALeaseWritesPresenceOnce",
			before: "ok && at == p.place {", after: "false && ok && at == p.place {",
		},
		{
			name: "a lease has its store from the one before", file: pointsDir + "group_processor.go", tests: "TestEachLeaseHasItsStore",
			before: "store: ForLease(g.o.Store, shard)", after: "store: g.o.Store",
		},
		{
			name: "heatmap counts by the time of arrival", file: heatmapDir + "tally.go",
			before: "windowMS: p.At / ms * ms", after: "windowMS: time.Now().UnixMilli() / ms * ms",
		},
		{
			name: "four drivers are shown", file: areasDir + "areas.go", quick: true, tests: "TestClasses",
			before: "AtLeast    = 5 ", after: "AtLeast    = 4 ",
		},
		{
			name: "a cell counts the finer ones in it too", file: areasDir + "areas.go", tests: "TestNoAreaIsSmall",
			before: "return append(out, Area{c, len(left)}), nil", after: "return append(out, Area{c, len(left)}), left",
		},
		{
			name: "a late booking changes the map of demand", file: rideDir + "demand.go", tests: "TestDemandShowsNobody",
			before: "if errors.Is(err, pgx.ErrNoRows) {", after: "if err == nil {\n\t\t_, err = s.pool.Exec(ctx, `DELETE FROM ride.demand`)\n\t}\n\tif err == nil || errors.Is(err, pgx.ErrNoRows) {",
		},
		{
			name: "who computes a map of demand second wins", file: rideDir + "demand.go", tests: "TestTheFirstMapOfDemandStays",
			before: "VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", after: "VALUES ($1, $2, $3) ON CONFLICT (from_at) DO UPDATE SET cells = excluded.cells, classes = excluded.classes",
		},
		{
			name: "two spans of demand overlap", file: rideDir + "demand.go", tests: "TestDemandShowsNobody",
			before: "requested_at >= $1 AND requested_at < $2", after: "requested_at >= $1 AND requested_at <= $2",
		},
		{
			name: "a map of demand leaves while it may be asked for", file: rideDir + "demand.go", tests: "TestTheFirstMapOfDemandStays",
			before: "2*DemandBack)", after: "DemandBack)",
		},
		{
			name: "a quarter of an hour is shown before it is over", file: "services/booking/http_demand.go", tests: "TestDemand",
			before: "Truncate(ride.DemandSpan).Add(-ride.DemandSpan)", after: "Truncate(ride.DemandSpan)",
		},
		{
			name: "another process's public map does not count", file: heatmapDir + "store.go", tests: "TestTheFirstMap",
			before: "VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`", after: "VALUES ($1, $2, $3) ON CONFLICT (window_at) DO UPDATE SET cells = excluded.cells, classes = excluded.classes`",
		},
		{
			name: "the public maps of two minutes overlap", file: heatmapDir + "store.go", tests: "TestNothingCanBeSubtracted",
			before: "WHERE window_at = $1 GROUP BY cell`", after: "WHERE window_at > $1 - interval '2 minutes' AND window_at <= $1 GROUP BY cell`",
		},
		{
			name: "a viewport cuts a cell out of its finer ones", file: heatmapDir + "public_minute.go", tests: "TestNothingCanBeSubtracted",
			before: "c.id.Parent(areas.FloorLevel)", after: "c.id",
		},
		{
			name: "a driver in two cells counts twice", file: areasDir + "areas.go",
			before: "left[p] = struct{}{}", after: "left[p+c.String()] = struct{}{}",
		},
		{
			name: "marks are kept although the batch was not committed", file: pointsDir + "group_processor.go", quick: true, tests: "TestWhatRisesIsDecidedByCommittedMarks",
			before: "\tif err != nil {\n\t\treturn err\n\t}\n\n\t// Only now", after: "\tif err != nil {\n\t\tfor driver, seq := range mark {\n\t\t\tp.marks.Add(driver, seq)\n\t\t}\n\t\treturn err\n\t}\n\n\t// Only now",
		},
		{
			name: "a driver's mark is not looked up", file: pointsDir + "group_processor.go",
			before: "return mark, p.store.Newest(ctx, unknown, mark)", after: "return mark, nil",
			packages: []string{"services/domain/points", "services/heatmap"},
		},
		{
			name: "a live reader applies an older point after a newer one", file: pointsDir + "live.go",
			before: "\t\tif !l.marks.rises(a.Driver, a.Seq) {", after: "\t\tif false {",
		},
		{
			name: "a live reader starts at the tip of a stream that was recreated", file: pointsDir + "live.go", tests: "TestARecreatedStreamIsReadFromItsBeginning",
			before: "start = shardreader.Horizon()", after: "start = shardreader.Latest()",
		},
		{
			name: "nearby is asked before it has caught up", file: pointsDir + "live.go",
			before: "if l.reader.CaughtUp() {", after: "if true {",
		},
		{
			name: "one record that is no point stops the map", file: pointsDir + "live.go",
			before: "\t\t\tcontinue\n\t\t}\n\t\tl.arrived.note", after: "\t\t\treturn err\n\t\t}\n\t\tl.arrived.note",
		},
		{
			name: "what is not known is 0 on the map", file: mapfeedDir + "frame.go", tests: "TestAFrameTellsWhatIsNotKnown",
			before: "return 0, flag", after: "return 0, 0",
		},
		{
			name: "the map's numbers never change", file: mapfeedDir + "world.go", quick: true, tests: "TestNumbersChangeForAllWithTheEpoch",
			before: "v.id = w.pseudonym(driver, epoch)", after: "v.id = w.pseudonym(driver, 0)",
		},
		{
			name: "the map's numbers are the same in every process", file: mapfeedDir + "world.go",
			before: "mac := hmac.New(sha256.New, w.key)", after: "mac := hmac.New(sha256.New, []byte(\"tandem\"))",
		},
		{
			name: "a silent car stays on the map", file: mapfeedDir + "world.go",
			before: "return w.heard.Sub(v.arrived) > silentAfter", after: "return false",
		},
		{
			name: "cars vanish while the stream is silent", file: mapfeedDir + "world.go", tests: "TestNoCarVanishesWhileTheStreamIsSilent",
			before: "return w.heard.Sub(v.arrived) > silentAfter", after: "return w.now().Sub(v.arrived) > silentAfter",
		},
		{
			name: "a reader that has applied nothing takes 0 ms", file: pointsDir + "stats.go", tests: "TestLatencyIsOfTheLastMinutes",
			before: "h.TotalCount() > 0", after: "h.TotalCount() >= 0",
		},
		{
			name: "a rider sees where the driver goes after the ride", file: consoleDir + "trace.go", quick: true, tests: "TestARidesPointsAre",
			before: "if ride.EndedAt != nil {", after: "if ride.EndedAt == nil && after < 0 {",
		},
		{
			name: "the ride's points begin at every look again", file: consoleDir + "trace.go", tests: "TestARidesPointsAre",
			before: "max(after+1, ride.AssignedAt.UnixMilli())", after: "ride.AssignedAt.UnixMilli()",
		},
		{
			name: "the countdown is to the deadline of another message", file: consoleDir + "inside.go", quick: true, tests: "TestARidesMessageHas",
			before: "if m.ID != message || !fresh {", after: "if !fresh {",
		},
		{
			name: "a worker is killed that does not hold the message", file: consoleDir + "holder.go", quick: true, tests: "TestTheWorkerThatHolds|TestNobodyIsKilledWho",
			before: "if slices.Contains(messages, m.MessageID) {", after: "if m.MessageID != \"\" {",
		},
		{
			name: "a message that is deleted is still the ride's", file: consoleDir + "holder.go", tests: "TestTheWorkerThatHolds|TestNobodyIsKilledWho",
			before: "open = slices.DeleteFunc(open, func(m string) bool { return m == id })", after: "continue",
		},
		{
			name: "a worker that has just finished is killed all the same", file: consoleDir + "kill.go", quick: true, tests: "TestAWorkerThatHasJustFinished",
			before: "if again == nil || again.Worker != first.Worker", after: "if false && again.Worker != first.Worker",
		},
		{
			name: "a death is seen by nobody but who asked for it", file: consoleDir + "kill.go", tests: "TestTheWorkerThatHolds",
			before: "s.kills.add(*again, time.Now())", after: "",
		},
		{
			name: "workers are killed outside of the demo", file: consoleDir + "kill.go", tests: "TestNobodyIsKilledWho",
			before: "if !s.cfg.KillWorkers {", after: "if s.gather == nil {",
		},
		{
			name: "a rider kills a worker", file: consoleDir + "http.go", tests: "TestNobodyIsKilledWho",
			before: "Roles: []auth.Role{auth.Admin}, Handle: s.killWorkerHTTP", after: "Roles: []auth.Role{auth.Admin, auth.Rider}, Handle: s.killWorkerHTTP",
		},
		{
			name: "the first page's counters are frozen", file: consoleDir + "summary.go", quick: true, tests: "TestOneSummaryASecondForAll|TestTheSummaryIsWhat",
			before: "now.Sub(s.last.GatheredAt) >= summaryFor", after: "s.last.GatheredAt.IsZero() || now.IsZero()",
		},
		{
			name: "each who asks for the summary asks all parts", file: consoleDir + "summary.go", tests: "TestOneSummaryASecondForAll",
			before: "now.Sub(s.last.GatheredAt) >= summaryFor", after: "now.After(s.last.GatheredAt)",
		},
		{
			name: "two shards are swapped", file: "services/domain/points/arrivals.go", tests: "TestTheSummaryIsWhat", packages: []string{"services/console"},
			before: "Bins: l.arrived.last(s.Shard, now)}", after: "Bins: l.arrived.last(map[string]string{\"shardId-000000000000\": \"shardId-000000000001\", \"shardId-000000000001\": \"shardId-000000000000\"}[s.Shard], now)}",
		},
		{
			name: "a count of six seconds ago is of now", file: "services/domain/points/arrivals.go", tests: "TestArrivalsAreCounted",
			before: "case n > r.number[at]:", after: "case r.number[at] == 0:",
		},
		{
			name: "a driver that has long been silent counts as one that sends", file: "services/domain/points/arrivals.go", tests: "TestDriversAreCounted",
			before: "newest <= now-bins", after: "newest <= 0",
		},
		{
			name: "the retention is written in", file: consoleDir + "retention.go", tests: "TestTheSummaryIsWhat",
			before: "int(aws.ToInt32(out.StreamDescriptionSummary.RetentionPeriodHours))", after: "24 + 0*int(aws.ToInt32(out.StreamDescriptionSummary.RetentionPeriodHours))",
		},
		{
			name: "what a killed worker deleted is forgotten", file: consoleDir + "summary.go", tests: "TestDeletesOutlive",
			before: "d[deleter{w.Name, w.PID}] = w.DeletedAt", after: "d[deleter{w.Name, 0}] = w.DeletedAt",
		},
		{
			name: "a page asks for the summary without end", file: consoleDir + "http.go", tests: "TestTheSummaryIsPublic",
			before: "Limit: each, Handle: s.summaryHTTP", after: "Limit: httpserver.Limit{PerSecond: each.PerSecond * 1e6, Burst: 1e9}, Handle: s.summaryHTTP",
		},
		{
			name: "a person's ride is shown to everybody", file: mapfeedDir + "shown.go", tests: "TestTheShownRideIsOfNoPerson",
			before: "waits && auth.Simulated(r.RiderID) &&", after: "waits &&",
		},
		{
			name: "a person who drives is shown to everybody", file: mapfeedDir + "shown.go", tests: "TestAPersonWhoDrives",
			before: "if !auth.Simulated(e.Data.DriverID) {", after: "if e.Data.DriverID == \"\" {",
		},
		{
			name: "the shown ride tells all that there is", file: mapfeedDir + "shown.go", tests: "TestTheShownRideIsOfNoPerson",
			before: "return false // what else there will be", after: "// what else there will be",
		},
		{
			name: "the shown ride is followed while nobody looks", file: mapfeedDir + "shown.go", tests: "TestTheShownRideIsOfNoPerson",
			before: "if len(s.clients) == 0 && s.stop != nil {", after: "if len(s.clients) < 0 {",
		},
		{
			name: "a shard that nobody reads is 0 ms behind", file: consoleDir + "readings.go", quick: true, tests: "TestAReaderThatDoesNotReadFallsBehind",
			before: "late := now.Sub(through).Milliseconds()", after: "late := int64(0)",
		},
		{
			name: "a reader that does not read is well", file: consoleDir + "judge.go", tests: "TestJudgeNamesTheMostUrgentTrouble",
			before: "case len(r.NotRead) > 0:", after: "case false:",
		},
		{
			name: "all is well before anything has answered", file: consoleDir + "judge.go", tests: "TestJudgeNamesTheMostUrgentTrouble",
			before: "downServices, unheard, notReady", after: "downServices, notReady",
		},
		{
			name: "a frozen part is fresh for ever", file: consoleDir + "part.go", quick: true, tests: "TestAFrozenPartKeepsItsLastAnswer",
			before: "p.err == nil && !p.heard.IsZero() && now.Sub(p.heard) <= freshFor", after: "!p.heard.IsZero()",
		},
		{
			name: "each overview waits for a frozen part", file: consoleDir + "part.go", tests: "TestAFrozenPartKeepsItsLastAnswer",
			before: "\tif p.asking {\n\t\treturn nil\n\t}\n", after: "",
		},
		{
			name: "a client is sent what lies outside its view", file: mapfeedDir + "placed.go", tests: "TestAViewFinds",
			before: "\t\t\tif one := p.bytes[i*vehicleBytes:][:vehicleBytes]; v.contains(one) {", after: "\t\t\tif one := p.bytes[i*vehicleBytes:][:vehicleBytes]; true {",
		},
		{
			name: "a newer frame replaces the one that waits", file: mapfeedDir + "waiting.go", tests: "TestASlowClientMissesNoVehicle",
			before: "c.waits.rounds = append(c.waits.rounds, r)", after: "c.waits.rounds = append(c.waits.rounds[:0], r)",
		},
		{
			name: "a client whose queue is full holds up the map", file: mapfeedDir + "client.go", tests: "TestAFullQueueEndsTheClient",
			before: "\tdefault:\n\t\tc.end(errSlow)", after: "\tcase <-time.After(time.Hour):\n\t\tc.end(errSlow)",
		},
		{
			name: "a car that moved twice is told of as it was first", file: mapfeedDir + "waiting.go", tests: "TestAWaitingVehicle",
			before: "copy(b[at:], vehicle)", after: "_ = at",
		},
		{
			name: "a client that takes nothing keeps every round", file: mapfeedDir + "waiting.go", tests: "TestAClientFarBehindIsToldEverythingAnew",
			before: "case len(c.waits.rounds) == maxWaiting:", after: "case false:",
		},
		{
			name: "a car that was encoded before is as young as then", file: mapfeedDir + "waiting.go", tests: "TestAnAgeGrowsWhileTheFrameWaits",
			before: "addAge(b[len(b)-vehicleBytes:], late)", after: "addAge(b[len(b)-vehicleBytes:], 0*late)",
		},
		{
			name: "a forgotten driver stays in the tree", file: nearbyDir + "index.go", tests: "TestASilentDriver",
			before: "\t\t\tx.byPlace.Delete(corner(e.Point), corner(e.Point), driver)\n", after: "",
		},
		{
			name: "nearby finds drivers out of reach", file: nearbyDir + "index.go", tests: "TestReachIsExact",
			before: "if d <= within && x", after: "if x", quick: true,
		},
		{
			name: "nearby answers that nobody is near when nobody is known", file: nearbyDir + "index.go",
			before: "return old(some), old(every)", after: "return old(some) && false, old(every)",
		},
		{
			name: "nearby takes drivers of a shard that is not read for silent", file: nearbyDir + "index.go", tests: "TestWithoutTheStream",
			before: "return old(some), old(every)", after: "return old(some), old(every) && false",
		},
		{
			name: "nearby finds a driver who is silent", file: nearbyDir + "index.go",
			before: "if d <= within && x.now().Sub(e.heard) <= silentAfter {", after: "if d <= within {",
		},
		{
			name: "a driver who moved is found where it was", file: nearbyDir + "index.go",
			before: "x.byPlace.Delete(corner(before.Point), corner(before.Point), p.Driver)", after: "_ = before",
		},
		{
			name: "nearby's distance does not know that degrees of longitude are shorter", file: nearbyDir + "index.go",
			before: "scale := math.Cos(p.Lat * math.Pi / 180)", after: "scale := max(1, math.Cos(p.Lat))",
		},
	}
}
