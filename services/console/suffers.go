package console

// suffers is what people notice while a service is away, and what goes on.
func suffers(kind string) string {
	switch kind {
	case "booking":
		return "no ride can be booked or changes; cars go on moving"
	case "dispatch":
		return "no driver is asked, and ride requests wait in the queue; rides under way go on"
	case "notification":
		return "riders' messages are late; rides go on"
	case "location":
		return "cars are not heard from, so new rides find no driver; rides under way go on"
	case "nearby":
		return "new rides find no driver until it is back; rides under way go on"
	case "mapfeed":
		return "the map stands still; rides go on"
	case "history":
		return "the past is not written on; the stream keeps it, and rides go on"
	case "heatmap":
		return "the heatmap stands still; the stream keeps its points, and rides go on"
	case "compare":
		return "the page Six maps stands still; rides and cars go on"
	case "gateway":
		return "no page and no program reaches Tandem"
	}
	return "look at its log"
}

// inWords says why a readiness check fails: what the service advises, or else what
// the check is about. An error's own text is for a log.
func inWords(check, advice string) string {
	if advice != "" {
		return advice
	}
	switch check {
	case "database", "postgres":
		return "the database does not answer it"
	case "stream":
		return "the stream does not answer it"
	case "queue":
		return "it takes no message from its queue"
	case "puts":
		return "the stream takes no points from it"
	case "outbox relay":
		return "it cannot send to the queues; what it would send waits in the database"
	case "leases":
		return "it cannot see which shards are its own"
	case "caught up":
		return "it has not caught up with the stream yet"
	}
	return "its check of " + check + " fails"
}
