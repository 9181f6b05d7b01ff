package demo

// Counts are what an audit counted, for the report.
type Counts struct {
	Rides  RideCounts  `json:"rides"`
	Points PointCounts `json:"points"`
}

// RideCounts are rides by how they ended. A lost ride was answered with 201 and
// does not exist.
type RideCounts struct {
	Requested   int64 `json:"requested"`
	Assigned    int64 `json:"assigned"`
	Completed   int64 `json:"completed"`
	Unfulfilled int64 `json:"unfulfilled"`
	Cancelled   int64 `json:"cancelled"`
	Lost        int64 `json:"lost"`
}

// PointCounts are points that were answered with 202, and what became of them.
type PointCounts struct {
	Accepted   int64 `json:"accepted"`
	Stored     int64 `json:"stored"`
	Duplicated int64 `json:"duplicated"`
	OutOfOrder int64 `json:"out_of_order"`
	Lost       int64 `json:"lost"`
}
