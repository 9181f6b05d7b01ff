package kinesis

import "slices"

// LookConsumer is one fan-out consumer as the console shows it.
type LookConsumer struct {
	Stream   string   `json:"stream"`
	Consumer string   `json:"consumer"`
	Shards   []string `json:"shards"` // that it is subscribed to now
}

// LookConsumers shows every consumer without touching it.
func (s *Service) LookConsumers() []LookConsumer {
	out := []LookConsumer{}
	for _, st := range s.all() {
		st.mu.RLock()
		for _, c := range st.info.Consumers {
			out = append(out, LookConsumer{st.info.Name, c.Name, s.subs.shards(c.arn(st.info.Name))})
		}
		st.mu.RUnlock()
	}
	return out
}

// shards gives the shards that a consumer is subscribed to.
func (l *subscriptions) shards(consumerARN string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := []string{}
	for who, s := range l.active {
		if who.arn == consumerARN && s.ctx.Err() == nil {
			out = append(out, who.shard)
		}
	}
	slices.Sort(out)
	return out
}
