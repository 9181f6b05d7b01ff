package main

const (
	sqsDir     = "emulator/sqs/"
	kinesisDir = "emulator/kinesis/"
	journalDir = "emulator/journal/"
	wireDir    = "emulator/wire/"
)

// emulators are bugs of the embedded AWS, on which every other test rests.
func emulators() []mutant {
	return []mutant{
		{
			name: "a message is visible while it is in flight", file: sqsDir + "receive.go",
			before: "q.putInFlight(m, until)\n}", after: "q.putInFlight(m, 0)\n}",
		},
		{
			name: "an old receipt handle deletes", file: sqsDir + "delete.go", quick: true, tests: "TestAfterARestart|TestAMessageIsInvisibleUntilItsTimeoutEnds",
			before: "\tcase !q.latest(r, m):\n\t\t// Somebody", after: "\tcase false:\n\t\t// Somebody",
		},
		{
			name: "a delete is answered before it is in the journal", file: sqsDir + "delete.go", quick: true, tests: "TestAFailedWriteChangesNothing",
			before: "\tif err := s.write(e); err != nil {\n\t\treturn err\n\t}\n", after: "",
		},
		{
			name: "one entry of a batch that fails fails the others", file: sqsDir + "delete.go",
			before: "\t\t\t\tout.Failed = append(out.Failed, failedEntry(e.ID, err))\n\t\t\t\tcontinue", after: "\t\t\t\treturn err",
		},
		{
			name: "a FIFO repeat is sent again", file: sqsDir + "send.go",
			before: "before, ok := q.dedup.get(q.entryOf(m).Key, at); ok {", after: "before, ok := q.dedup.get(q.entryOf(m).Key, at); ok && false {",
		},
		{
			name: "a send that failed counts as a repeat of the next", file: sqsDir + "send.go",
			before: "delete(q.dedup.byKey, q.entryOf(e.Message).Key)", after: "_ = e",
		},
		{
			name: "a batch may be larger than a message", file: sqsDir + "send.go",
			before: "\tif size > maxMessage {", after: "\tif size > 10*maxMessage {",
		},
		{
			name: "the emulator's delay is not kept", file: sqsDir + "send.go",
			before: "m.Due = at + *in.DelaySeconds*1000", after: "m.Due = at",
		},
		{
			name: "a FIFO group hands out its next message while one is in flight", file: sqsDir + "place.go", quick: true, tests: "TestAGroupIsLockedWhileOneIsInFlight",
			before: "if g.inFlight > 0 || g.messages.Len() == 0 {", after: "if g.messages.Len() == 0 {",
		},
		{
			name: "a message is received more often than maxReceiveCount", file: sqsDir + "receive.go",
			before: "m.receives < q.set.redrive.MaxReceiveCount:", after: "m.receives <= q.set.redrive.MaxReceiveCount:",
		},
		{
			name: "visibility lasts longer than twelve hours", file: sqsDir + "visibility.go",
			before: "case at+*v*1000 > m.receivedAt+maxVisibility*1000:", after: "case false:",
		},
		{
			name: "a receipt handle whose time is over still counts", file: sqsDir + "visibility.go",
			before: "q.makeVisible(at)", after: "_ = at",
		},
		{
			name: "long polling sleeps through a message", file: sqsDir + "receive.go",
			before: "\t\tcase <-pause.changed:\n", after: "",
		},
		{
			name: "a dead letter's FIFO copy keeps its deduplication id", file: sqsDir + "move.go",
			before: "next.Sent, next.Dedup = at, m.ID", after: "next.Sent = at",
		},
		{
			name: "a shard takes more than its limit", file: kinesisDir + "put.go", tests: "TestAShardTakesAMegabyteASecond",
			before: "if s.o.Limits && !sh.limits.mayWrite(now, r.size()) {", after: "if s.o.Limits && !sh.limits.mayWrite(now, 0) {", quick: true,
		},
		{
			name: "a refused record is charged", file: kinesisDir + "limits.go",
			before: "if !t.records.allows(1) || !t.bytes.allows(float64(size)) {", after: "if t.records.level--; !t.records.allows(0) || !t.bytes.allows(float64(size)) {",
		},
		{
			name: "a put whose write failed is acknowledged", file: kinesisDir + "put.go", quick: true,
			before: "out[i].failure = &wire.Error{Status: http.StatusInternalServerError", after: "out[i].seq, _ = 1, &wire.Error{Status: http.StatusInternalServerError", tests: "TestAWriteThatFails|TestAFailed|TestReadingHolds|TestASegment",
		},
		{
			name: "the explicit hash key is not looked at", file: kinesisDir + "put.go",
			before: `if e.ExplicitHashKey == "" {`, after: "if true {",
		},
		{
			name: "sequence numbers go back with the machine's clock", file: kinesisDir + "sequence.go",
			before: "first = max(c.next, uint64(c.arrived)<<sequenceShift)", after: "first = uint64(nowMS) << sequenceShift",
		},
		{
			name: "AFTER_SEQUENCE_NUMBER reads the record again", file: kinesisDir + "iterator.go",
			before: "\t\t\tseq++\n", after: "",
		},
		{
			name: "LATEST reads what is there already", file: kinesisDir + "iterator.go",
			before: "return sh.tip(), nil", after: "return sh.firstSeq, nil",
		},
		{
			name: "a child is opened before its parents are closed", file: kinesisDir + "reshard.go", tests: "TestAChildBeginsAbove",
			before: "\tn.closeShard(c, nowMS, sh.ID)\n\tn.addShard(c, nowMS, sh.Start, at.previous(), sh.ID)\n", after: "\tn.addShard(c, nowMS, sh.Start, at.previous(), sh.ID)\n\tn.closeShard(c, nowMS, sh.ID)\n",
		},
		{
			name: "a second subscription is granted at once", file: kinesisDir + "subscriptions.go",
			before: "if now.Sub(before.since) < takeOverAfter {", after: "if false {",
		},
		{
			name: "a failed write stays in the journal", file: journalDir + "journal.go", quick: true, tests: "TestAFailedWriteLeavesNothing",
			before: "j.dirty = j.disk.Truncate(j.size) != nil", after: "j.size += int64(len(b))",
		},
		{
			name: "a frame's length is not in its check sum", file: journalDir + "frame.go",
			before: "return crc32.Update(crc32.Update(0, castagnoli, length), castagnoli, payload)", after: "return crc32.Update(uint32(0*len(length)), castagnoli, payload)",
		},
		{
			name: "a disk that cannot be read is taken for a torn write", file: journalDir + "frame.go",
			before: "\t\treturn errTorn\n\t}\n\treturn err\n}", after: "\t\treturn errTorn\n\t}\n\treturn errTorn\n}",
		},
		{
			name: "a compaction misses what was written meanwhile", file: journalDir + "compact.go",
			before: "\terr := c.copy(j, j.size)\n", after: "\tvar err error\n",
		},
		{
			name: "the emulator speaks HTTP/1.1 alone", file: "emulator/server.go", quick: true, tests: "TestHTTP2WithoutTLS",
			before: "p.SetUnencryptedHTTP2(true)", after: "p.SetUnencryptedHTTP2(false)",
		},
		{
			name: "an error's type is not in its header", file: wireDir + "wire.go", packages: []string{"emulator"}, tests: "TestEveryAnswerHasAnID",
			before: "func SetErrorType(w http.ResponseWriter, code string) { w.Header().Set(typeHeader, code) }", after: "func SetErrorType(http.ResponseWriter, string) {}",
		},
		{
			name: "half a surrogate pair is delivered as U+FFFD", file: wireDir + "unicode.go", packages: []string{"emulator"}, tests: "TestTextThatIsNoUnicode",
			before: "if utf16.DecodeRune(first, second) == utf8.RuneError {", after: "if false && second == 0 {",
		},
		{
			name: "a time of CBOR is taken for seconds", file: wireDir + "cbor.go", packages: []string{"emulator"}, tests: "TestKinesisInCBOR",
			before: "return Seconds(time.UnixMilli(v.Unix()))", after: "return Seconds(v)",
		},
		{
			name: "MillisBehindLatest is no reader's distance", file: kinesisDir + "read.go", tests: "Behind",
			before: "return max(1, nowMS-b.arrived)", after: "return 1",
		},
		{
			name: "a stream's unchanged topology is written at every start", file: kinesisDir + "topology.go", packages: []string{"emulator"}, tests: "TestAFullDisk",
			before: "if reflect.DeepEqual(next, st.info) {", after: "if reflect.DeepEqual(next, nil) {",
		},
		{
			name: "unchanged topics are written at every start", file: "emulator/sns/service.go", packages: []string{"emulator"}, tests: "TestAFullDisk",
			before: "if reflect.DeepEqual(next, s.state) {", after: "if reflect.DeepEqual(next, nil) {",
		},
		{
			name: "a full disk is ready", file: "emulator/handler.go", tests: "TestAFullDisk",
			before: "if err := e.streams.Writable(); err != nil {", after: "if err := e.streams.Writable(); err != nil && false {",
		},
	}
}
