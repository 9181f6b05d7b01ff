package kinesis

import (
	"time"
)

// consumer is a registered fan-out consumer of a stream.
type consumer struct {
	Name    string `json:"name"`
	Created int64  `json:"created"` // ms
}

// Register makes the consumer of the stream unless it is there already.
func (s *Service) Register(stream, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.find(target{StreamName: stream})
	if err != nil {
		return err
	}
	for _, c := range st.Consumers {
		if c.Name == name {
			return nil
		}
	}
	st.Consumers = append(st.Consumers, consumer{name, time.Now().UnixMilli()})
	return s.saveTopology()
}

// SetEncryption says with which KMS key the stream is encrypted; empty: none.
// Nothing is encrypted: descriptions and records say that it is.
func (s *Service) SetEncryption(stream, keyID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.find(target{StreamName: stream})
	if err != nil {
		return err
	}
	st.KeyID = keyID
	return s.saveTopology()
}
