package kinesis

import (
	"slices"
	"time"
)

// Look is one shard as the console shows it. Counts are since the emulator
// started, rates over the last ten seconds.
type Look struct {
	Stream         string  `json:"stream"`
	Shard          string  `json:"shard"`
	Open           bool    `json:"open"`
	Records        int64   `json:"records"` // put
	Bytes          int64   `json:"bytes"`   // put
	Kept           int64   `json:"kept_bytes"`
	InRecords      float64 `json:"in_records_per_s"`
	InBytes        float64 `json:"in_bytes_per_s"`
	OutRecords     float64 `json:"out_records_per_s"`
	OutBytes       float64 `json:"out_bytes_per_s"`
	ReadThrottles  int64   `json:"read_throttles"`
	WriteThrottles int64   `json:"write_throttles"`
	Subscribers    int     `json:"subscribers"` // fan-out consumers that read it now
}

// Look returns every shard as it is now; looking changes nothing.
func (s *Service) Look() []Look {
	out := []Look{}
	for _, st := range s.all() {
		st.mu.RLock()
		for _, info := range st.info.Shards {
			out = append(out, s.look(st, info))
		}
		st.mu.RUnlock()
	}
	return out
}

func (s *Service) look(st *stream, info shardInfo) Look {
	readers := s.subs.answering(func(by subscriber) bool { return by.stream == st.info.Name && by.shard == info.ID })

	sh := st.byID[info.ID]
	sh.mu.Lock()
	defer sh.mu.Unlock()

	total, recent := sh.meter.total, sh.meter.recent(s.o.Now())
	per := func(n int64) float64 { return float64(n) / rateSeconds }

	return Look{
		Stream: st.info.Name, Shard: sh.id, Open: info.open(), Subscribers: len(readers),
		Records: total.inRecords, Bytes: total.inBytes, Kept: sh.log.size(),
		InRecords: per(recent.inRecords), InBytes: per(recent.inBytes),
		OutRecords: per(recent.outRecords), OutBytes: per(recent.outBytes),
		ReadThrottles: total.readThrottles, WriteThrottles: total.writeThrottles,
	}
}

// LookConsumer is one fan-out consumer as the console shows it.
type LookConsumer struct {
	Stream   string   `json:"stream"`
	Consumer string   `json:"consumer"`
	Shards   []string `json:"shards"` // that it is subscribed to now
}

// LookConsumers returns every consumer as it is now; looking changes nothing.
func (s *Service) LookConsumers() []LookConsumer {
	out := []LookConsumer{}
	for _, st := range s.all() {
		info := st.topology()
		for _, c := range info.Consumers {
			shards := []string{}
			for _, by := range s.subs.answering(func(by subscriber) bool { return by.arn == c.arn(info.Name) }) {
				shards = append(shards, by.shard)
			}

			slices.Sort(shards)
			out = append(out, LookConsumer{info.Name, c.Name, shards})
		}
	}
	return out
}

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

// recent returns the sum of the last ten whole seconds.
func (m *meter) recent(now time.Time) (sum counts) {
	for _, slot := range m.seconds {
		if age := now.Unix() - slot.at; age >= 1 && age <= rateSeconds {
			sum.add(slot.counts)
		}
	}
	return sum
}
