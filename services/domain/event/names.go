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
)

// MaxReceiveCount is the maxReceiveCount of both queues: a message that was
// received so often and not deleted goes to the dead-letter queue.
const MaxReceiveCount = 5
