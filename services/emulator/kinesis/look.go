package kinesis

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

// Look shows every shard without touching it.
func (s *Service) Look() []Look {
	out := []Look{}
	for _, st := range s.all() {
		st.mu.RLock()
		for _, info := range st.info.Shards {
			one := st.byID[info.ID].look(s)
			one.Stream, one.Open = st.info.Name, info.open()
			one.Subscribers = s.subs.count(st.info.Name, info.ID)
			out = append(out, one)
		}
		st.mu.RUnlock()
	}
	return out
}

func (sh *shard) look(s *Service) Look {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	total, recent := sh.meter.total, sh.meter.recent(s.o.Now())
	per := func(n int64) float64 { return float64(n) / rateSeconds }
	return Look{
		Shard: sh.id, Records: total.inRecords, Bytes: total.inBytes, Kept: sh.log.size(),
		InRecords: per(recent.inRecords), InBytes: per(recent.inBytes),
		OutRecords: per(recent.outRecords), OutBytes: per(recent.outBytes),
		ReadThrottles: total.readThrottles, WriteThrottles: total.writeThrottles,
	}
}
