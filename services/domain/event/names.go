package event

// The names of the stream and the queues. localstack/messaging.yaml deploys them,
// and a test compares the two.
const (
	// Stream is the Kinesis stream of points.
	Stream = "driver-locations"

	// QueueRideRequests is a standard queue: the order of requests does not
	// matter, and each is handled once for each attempt of its ride.
	QueueRideRequests     = "ride-requests"
	QueueRideRequestsDead = "ride-requests-dlq"

	// QueueNotifications is a FIFO queue, grouped by ride: a rider must not read
	// "arrived" before "assigned".
	QueueNotifications     = "notifications.fifo"
	QueueNotificationsDead = "notifications-dlq.fifo"

	// SpanRideID is the attribute of a span that names the ride.
	SpanRideID = "tandem.ride.id"
)

// Tries is how often a message of either queue is handled at most; then its worker
// sends it to the dead-letter queue with the reason. The queues' maxReceiveCount is
// higher: a worker needs receives of its own for the messages that ended the workers
// before it.
const Tries = 5
