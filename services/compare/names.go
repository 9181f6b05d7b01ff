package compare

// The names of what the sides travel on. localstack/messaging.yaml deploys them,
// and a test compares the two.
const (
	QueuePoints   = "compare-points"
	QueueJobs     = "compare-jobs"
	QueueJobsDead = "compare-jobs-dlq"
	StreamPoints  = "compare-points"
	StreamJobs    = "compare-jobs"
	TopicPoints   = "compare-points"
)

const newcomer = 3 // the team that joins late

// teams returns the names of a side's teams, in the page's order.
func teams() []string { return []string{"map", "history", "heatmap", "newcomer"} }

// queueOf returns the queue that a team has for itself behind the topic.
func queueOf(team string) string { return "compare-" + team }

// teamQueues returns them all.
func teamQueues() []string {
	var out []string
	for _, t := range teams() {
		out = append(out, queueOf(t))
	}
	return out
}
