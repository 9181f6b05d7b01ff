package sqsworker

// NewFakeClient returns a client to a queue in memory that has these messages
// on it, and to its dead-letter queue, name-dlq. It is for the Example.
func NewFakeClient(name string, bodies ...string) Client {
	f := newFake(false)
	f.attributes["RedrivePolicy"] = redriveTo(name + "-dlq")
	f.send("", bodies...)
	return f
}
