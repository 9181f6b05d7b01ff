package sqs

// attempt is what a ReceiveRequestAttemptId was given.
type attempt struct {
	until, visibleAt int64 // ms
	messages         []*message
	receives         []int
}

// given notes what a ReceiveRequestAttemptId got: on a FIFO queue a retry within
// five minutes gets the same, as long as nothing of it was touched.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-receiverequestattemptid-request-parameter.html
func (q *queue) given(id string, messages []*message, at, until int64) {
	if !q.fifo {
		return
	}
	for len(q.attemptOrder) > 0 { // the oldest first
		old := q.attemptOrder[0]
		if a, ok := q.attempts[old]; ok && a.until > at {
			break
		}
		delete(q.attempts, old)
		q.attemptOrder = q.attemptOrder[1:]
	}
	a := attempt{until: at + attemptWindow, visibleAt: until, messages: messages}
	for _, m := range messages {
		a.receives = append(a.receives, m.receives)
	}
	q.attempts[id] = a
	q.attemptOrder = append(q.attemptOrder, id)
}

func (q *queue) again(id string, at, until int64) []*message {
	a, ok := q.attempts[id]
	if !ok || a.until <= at {
		return nil
	}
	for i, m := range a.messages {
		if m.gone || !m.inFlight || m.receives != a.receives[i] || m.visibleAt != a.visibleAt {
			delete(q.attempts, id)
			return nil
		}
	}
	for _, m := range a.messages {
		q.setVisible(m, until, at)
	}
	a.visibleAt = until
	q.attempts[id] = a
	return a.messages
}
