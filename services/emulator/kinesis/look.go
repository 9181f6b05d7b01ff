package kinesis

// Look is one shard as the console shows it.
type Look struct {
	Stream  string `json:"stream"`
	Shard   string `json:"shard"`
	Open    bool   `json:"open"`
	Records int64  `json:"records"` // put since the emulator started
	Bytes   int64  `json:"bytes"`   // likewise
	Kept    int64  `json:"kept_bytes"`
}

// Look shows every shard without touching it.
func (s *Service) Look() []Look {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []Look{}
	for _, st := range s.streams {
		for _, sh := range st.Shards {
			out = append(out, Look{st.Name, sh.ID, sh.open(), sh.putRecords, sh.putBytes, sh.log.size()})
		}
	}
	return out
}
