package console

import (
	"encoding/json"
	"time"

	"tandem/services/domain/points"
)

// Overview is the answer of GET /v1/overview. Each part says when it was heard of
// last, heard_at; of one that has never answered, that is null, and its numbers are
// missing: what is not known is not 0.
type Overview struct {
	Sentence string    `json:"sentence"`
	OK       bool      `json:"ok"`
	At       time.Time `json:"at"` // by the clock that every heard_at is of
	Queues   []Queue   `json:"queues"`
	Workers  []Worker  `json:"workers"`
	Shards   []Shard   `json:"shards"`
	Readers  []Reader  `json:"readers"`
	Rides    *Rides    `json:"rides"` // null: not counted yet
	Services []Service `json:"services"`
	// Autoscale is why there are as many workers as there are; null: nobody decides that.
	Autoscale *Autoscale `json:"autoscale"`
}

// Queue is one SQS queue.
type Queue struct {
	Name         string     `json:"name"`
	Dead         bool       `json:"dead"` // a dead-letter queue
	HeardAt      *time.Time `json:"heard_at"`
	*QueueCounts            // nil: never heard
	Error        string     `json:"error,omitempty"`
}

// QueueCounts are a queue's approximate counts.
type QueueCounts struct {
	Visible  int `json:"visible"`
	InFlight int `json:"in_flight"`
	Delayed  int `json:"delayed"`
}

// Worker is one dispatch process.
type Worker struct {
	Name          string     `json:"name"`
	OK            bool       `json:"ok"`
	HeardAt       *time.Time `json:"heard_at"`
	PID           int        `json:"pid"` // 0: not known
	*WorkerCounts            // nil: never heard
}

// WorkerCounts are what a worker has done since it started.
type WorkerCounts struct {
	Handling int   `json:"handling"`
	Received int64 `json:"received"`
	Again    int64 `json:"again"` // of the received: received before, by whatever worker
	Done     int64 `json:"done"`
	Retried  int64 `json:"retried"`
	Dead     int64 `json:"dead"`
	MayHold  int   `json:"may_hold"` // messages at most; 0: not known
	// DeletedAt is when it deleted messages in the last seconds, ms since 1970 UTC.
	DeletedAt []int64 `json:"deleted_at"`
}

// Shard is what location's producers put on one shard.
type Shard struct {
	Shard       string     `json:"shard"`
	HeardAt     *time.Time `json:"heard_at"`
	Points      int64      `json:"points"` // since location started
	*ShardRates            // nil: not known yet
}

// ShardRates are of the last seconds.
type ShardRates struct {
	PointsPerSecond  float64 `json:"points_per_s"`
	RecordsPerSecond float64 `json:"records_per_s"`
	BytesPerSecond   float64 `json:"bytes_per_s"`
}

// Reader is one reader of the stream.
type Reader struct {
	Reader       string     `json:"reader"`
	OK           bool       `json:"ok"`
	HeardAt      *time.Time `json:"heard_at"`
	*ReaderState            // nil: never heard
	Lag
}

// ReaderState is what a reader says of itself.
type ReaderState struct {
	Mode    string               `json:"mode"` // polling, or fan-out and as whom
	Points  int64                `json:"points"`
	Latency *points.Latency      `json:"latency_ms"` // null: nothing was applied in the last minutes
	Shards  []points.ShardDetail `json:"shards"`
	Skipped int64                `json:"skipped"`
	Parked  int64                `json:"parked"`
}

// Lag is what of the stream a reader may not have applied.
type Lag struct {
	// BehindMS is of the shard that is furthest behind. It climbs while a reader
	// does not say or does not read; null: it never said.
	BehindMS *int64 `json:"behind_ms"`
	// StreamAt is when the stream last answered the reader, for the shard that it
	// did not answer for longest; null: not known.
	StreamAt *time.Time `json:"stream_at"`
	// Unread is about how many points; null: not known.
	Unread *int64 `json:"unread"`
	// NotRead are the shards that no process of the reader reads.
	NotRead []string `json:"not_read"`
}

// Rides is what booking counts.
type Rides struct {
	At        *time.Time     `json:"at"`
	PerMinute float64        `json:"per_minute"`
	ByState   map[string]int `json:"by_state"`
	// OldestWaiting is since when a worker could have taken the oldest request that none
	// has; null: no request waits.
	OldestWaiting *time.Time `json:"oldest_waiting"`
	Outbox
}

// Outbox is what of the rides' messages is not sent; null: not known.
type Outbox struct {
	Unsent   *int     `json:"outbox_unsent"`
	OldestS  *float64 `json:"outbox_oldest_s"`  // for how long the oldest of them has waited
	SetAside *int     `json:"outbox_set_aside"` // SQS refuses them for good
}

// Service is one process of Tandem.
type Service struct {
	Name    string     `json:"name"`
	OK      bool       `json:"ok"`
	HeardAt *time.Time `json:"heard_at"`
	PID     int        `json:"pid"` // 0: not known
	RSSMB   float64    `json:"rss_mb"`
	// NotReady says in words what keeps it from its work, by check; empty: nothing.
	NotReady map[string]string `json:"not_ready,omitempty"`
	Detail   json.RawMessage   `json:"detail,omitempty"`
}
