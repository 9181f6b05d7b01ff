package console

import (
	"encoding/json"
	"time"

	"tandem/services/domain/points"
)

// Overview is the answer of GET /v1/overview.
type Overview struct {
	Sentence string    `json:"sentence"`
	OK       bool      `json:"ok"`
	At       time.Time `json:"at"`
	Queues   []Queue   `json:"queues"`
	Workers  []Worker  `json:"workers"`
	Shards   []Shard   `json:"shards"`
	Readers  []Reader  `json:"readers"`
	Rides    Rides     `json:"rides"`
	Services []Service `json:"services"`
}

// Queue is one SQS queue's approximate counts.
type Queue struct {
	Name     string `json:"name"`
	Dead     bool   `json:"dead"` // a dead-letter queue
	Visible  int    `json:"visible"`
	InFlight int    `json:"in_flight"`
	Delayed  int    `json:"delayed"`
	Error    string `json:"error,omitempty"`
}

// Worker is one dispatch process.
type Worker struct {
	Name     string `json:"name"`
	OK       bool   `json:"ok"`
	PID      int    `json:"pid"`
	Handling int    `json:"handling"`
	Received int64  `json:"received"`
	Done     int64  `json:"done"`
	Retried  int64  `json:"retried"`
	Dead     int64  `json:"dead"`
}

// Shard is what location's producers put on one shard, over the last seconds.
type Shard struct {
	Shard            string  `json:"shard"`
	PointsPerSecond  float64 `json:"points_per_s"`
	RecordsPerSecond float64 `json:"records_per_s"`
	BytesPerSecond   float64 `json:"bytes_per_s"`
}

// Reader is one reader of the stream.
type Reader struct {
	Reader   string               `json:"reader"`
	OK       bool                 `json:"ok"`
	Mode     string               `json:"mode"` // polling, or fan-out and as whom
	Points   int64                `json:"points"`
	BehindMS int64                `json:"behind_ms"` // of the shard that is furthest behind
	Latency  points.Latency       `json:"latency_ms"`
	Shards   []points.ShardDetail `json:"shards"`
	Skipped  int64                `json:"skipped"`
	Parked   int64                `json:"parked"`
}

// Rides is what booking counts.
type Rides struct {
	PerMinute float64        `json:"per_minute"`
	ByState   map[string]int `json:"by_state"`
}

// Service is one process of Tandem.
type Service struct {
	Name  string  `json:"name"`
	OK    bool    `json:"ok"`
	PID   int     `json:"pid"`
	RSSMB float64 `json:"rss_mb"`
	// NotReady says what keeps it from its work, by check; empty: nothing.
	NotReady map[string]string `json:"not_ready,omitempty"`
	Detail   json.RawMessage   `json:"detail,omitempty"`
}
