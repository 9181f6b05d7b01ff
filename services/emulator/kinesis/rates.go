package kinesis

import "time"

// rateSeconds is over how long rates are taken.
const rateSeconds = 10

// counts are what went through a shard.
type counts struct {
	inRecords, inBytes, outRecords, outBytes int64
	readThrottles, writeThrottles            int64
}

func (c *counts) add(o counts) {
	c.inRecords += o.inRecords
	c.inBytes += o.inBytes
	c.outRecords += o.outRecords
	c.outBytes += o.outBytes
	c.readThrottles += o.readThrottles
	c.writeThrottles += o.writeThrottles
}

// meter counts since the start, and by the second for the last ten. The shard's
// lock guards it.
type meter struct {
	total   counts
	seconds [rateSeconds + 1]struct { // one is the second that still runs
		at int64
		counts
	}
}

func (m *meter) add(now time.Time, c counts) {
	m.total.add(c)
	slot := &m.seconds[now.Unix()%int64(len(m.seconds))]
	if slot.at != now.Unix() {
		slot.at, slot.counts = now.Unix(), counts{}
	}
	slot.add(c)
}

// recent sums the last ten whole seconds.
func (m *meter) recent(now time.Time) (sum counts) {
	for _, slot := range m.seconds {
		if age := now.Unix() - slot.at; age >= 1 && age <= rateSeconds {
			sum.add(slot.counts)
		}
	}
	return sum
}
