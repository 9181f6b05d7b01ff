package compare

// The states of a View.
const (
	stateStarting = "starting" // there is no session yet
	stateRunning  = "running"
	stateFull     = "full" // it has as many points as a session may have
)

// maxRows bounds each list of an answer.
const maxRows = 4_000

// View is what one look shows.
type View struct {
	State     string `json:"state"`
	Session   string `json:"session,omitempty"`
	At        int64  `json:"at"`         // ms since 1970, as all times
	StartedAt int64  `json:"started_at"` // 0: not yet
	Viewers   int    `json:"viewers"`
	Yours     bool   `json:"yours"` // the viewer may press

	Endpoint string `json:"endpoint,omitempty"` // where AWS's tools find the same; missing: AWS itself
	Region   string `json:"region"`

	Sent   int      `json:"sent"` // N
	Cars   int      `json:"cars"`
	Acts   []string `json:"acts"`             // done, in order
	Error  string   `json:"error,omitempty"`  // why nothing is copied at present
	Points *Points  `json:"points,omitempty"` // those that are new since the cursor
	Queue  *Queue   `json:"queue,omitempty"`
	Stream *Stream  `json:"stream,omitempty"`
	Jobs   *Jobs    `json:"jobs,omitempty"`

	Cursor string `json:"cursor"` // for the next look
	More   bool   `json:"more"`   // a list was cut: look again at once
}

// Points are rows of the tee's: what it sent, from number After + 1 on.
type Points struct {
	After int           `json:"after"`
	Rows  [][5]*float64 `json:"rows"` // car, latitude, longitude, heading (null: not measured), fix time
}

// Queue is the left.
type Queue struct {
	Via     string `json:"via"`     // queue, or topic
	After   int    `json:"after"`   // the teams can have points after this number
	Union   int    `json:"union"`   // points that any team has
	Overlap int    `json:"overlap"` // how many more the teams have together: by the queue duplicates, by the topic on purpose
	// What SQS says, about, as of CountedAt; 0: it has not said yet.
	CountedAt int64  `json:"counted_at"`
	Waiting   *int   `json:"waiting"`
	InFlight  *int   `json:"in_flight"`
	Teams     []Team `json:"teams"`
}

// Stream is the right. Every team's checksum is of the points 1 to Through, which
// all of them have.
type Stream struct {
	Through int    `json:"through"`
	Teams   []Team `json:"teams"`
}

// Team is one reader's table.
type Team struct {
	Name       string `json:"name"`
	JoinedAt   *int   `json:"joined_at"` // N then; null: it has not joined
	Generation int    `json:"generation"`
	Count      int    `json:"count"`   // distinct points
	Repeats    int    `json:"repeats"` // that arrived again
	Last       int    `json:"last"`    // the number that arrived last; 0: none
	// Got are the numbers in the order of their arrival, those after the first After.
	After    int     `json:"after"`
	Got      []int   `json:"got"`
	Lost     *Lost   `json:"lost,omitempty"`
	Checksum string  `json:"checksum,omitempty"`
	Shards   []Shard `json:"shards,omitempty"`
	BehindMS *int64  `json:"behind_ms,omitempty"` // of the slowest shard; missing: not known
}

// Shard is one shard as a team of the stream reads it.
type Shard struct {
	Shard    string `json:"shard"`
	Records  int    `json:"records"` // of this session
	BehindMS *int64 `json:"behind_ms"`
}

// DoneJob is a job that a worker has done.
type DoneJob struct {
	Tile   int `json:"tile"`
	Worker int `json:"worker"` // from 1 on
	Tries  int `json:"tries"`
}

// FailedJob is a job that cannot be done: set aside on the queue, in the way on the
// stream.
type FailedJob struct {
	Tile   int    `json:"tile"`
	Tries  int    `json:"tries"`
	Reason string `json:"reason"`
	// BehindMS is how long the record has been in the way, by its arrival: the
	// reader's iterator age. Of the stream alone.
	BehindMS *int64 `json:"iterator_age_ms,omitempty"`
}

// JobSide is how far the jobs are on one side.
type JobSide struct {
	Done   []DoneJob  `json:"done"` // in the order in which they were done
	Failed *FailedJob `json:"failed,omitempty"`
	Passed bool       `json:"passed"`            // the failed job no longer stands in the way: set aside, or skipped
	TookMS int64      `json:"took_ms,omitempty"` // until nothing was left to do; 0: it is not over
}

// Jobs is the step "jobs".
type Jobs struct {
	Sent   int     `json:"sent"`
	Queue  JobSide `json:"queue"`
	Stream JobSide `json:"stream"`
}
