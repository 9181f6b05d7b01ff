package sqsworker

import "time"

// Metrics is told what a Worker sees, as numbers, by many goroutines concurrently. Its
// methods must return at once: the worker waits for them.
type Metrics interface {
	// Polled is called after each receive that SQS answered; messages is 0 where the
	// long poll ended with none.
	Polled(messages int)
	// Received is called for each message received, with the time since it was sent; a
	// message without a readable SentTimestamp is left out. The clocks are SQS's and this
	// machine's, so a skew makes age wrong by as much.
	Received(m Message, age time.Duration)
	// Held adds change, which is 1 or -1, to the number of messages in flight.
	Held(change int)
	// Handled is called when Options.Handled is, with the time that the handler took,
	// which is about 0 where none was called.
	Handled(o Outcome, took time.Duration)
	// Panicked is called for each panic of a handler.
	Panicked()
	// DeleteFailed is called for each message that one try did not delete: SQS refused
	// this entry, or the call failed.
	DeleteFailed()
}

// silent is the Metrics of a worker without any.
type silent struct{}

func (silent) Polled(int)                      {}
func (silent) Received(Message, time.Duration) {}
func (silent) Held(int)                        {}
func (silent) Handled(Outcome, time.Duration)  {}
func (silent) Panicked()                       {}
func (silent) DeleteFailed()                   {}
