package sqs

// due returns when a message's delay ends.
func (q *queue) due(m *message) int64 {
	if m.Due == queueDelay {
		return m.Arrived + q.set.delay*1000
	}
	return m.Due
}

// place puts a message that is not in flight among the visible or the delayed.
func (q *queue) place(m *message, now int64) {
	if due := q.due(m); due > now {
		m.visibleAt = due
		q.hidden.add(m)
		return
	}
	q.visible.add(m)
}

// placeFirst places the first message of a group that is free. The others have
// no place: they come after it.
func (q *queue) placeFirst(g *group, now int64) {
	if g.inFlight > 0 || g.messages.Len() == 0 {
		return
	}
	if m, _ := g.messages.Front().Value.(*message); m.heap == nil {
		q.place(m, now)
	}
}

// placeAgain places what is not in flight by another delay: a FIFO queue's
// applies to the messages that it has already.
func (q *queue) placeAgain(now int64) {
	for _, g := range q.groups {
		if m, _ := g.messages.Front().Value.(*message); !m.inFlight && m.heap != nil {
			m.heap.remove(m)
		}
		q.placeFirst(g, now)
	}

	q.signal()
}

// putInFlight hides a message from others until its visibility timeout ends.
func (q *queue) putInFlight(m *message, until int64) {
	if m.heap != nil {
		m.heap.remove(m)
	}

	m.inFlight, m.visibleAt = true, until
	q.inFlight++
	if q.fifo {
		q.groups[m.Group].inFlight++ // its group is not free any more
	}
	q.hidden.add(m)
}

// endInFlight counts a message as no longer in flight. The caller places it.
func (q *queue) endInFlight(m *message) {
	m.inFlight = false
	q.inFlight--
	if q.fifo {
		q.groups[m.Group].inFlight--
	}
}

// makeVisible makes visible what is due: delays and visibility timeouts that
// are over. It is called before anything that depends on visibility, so that no
// timer is needed for each message.
func (q *queue) makeVisible(now int64) {
	for m := q.hidden.first(); m != nil && m.visibleAt <= now; m = q.hidden.first() {
		q.hidden.remove(m)
		if m.inFlight {
			q.endInFlight(m)
		}

		if q.fifo {
			// The first of its group need not be this one: an earlier message may have come
			// back too.
			q.placeFirst(q.groups[m.Group], now)
		} else {
			q.visible.add(m)
		}
	}
}

// setVisibleAt changes when a message in flight is visible again.
func (q *queue) setVisibleAt(m *message, at, now int64) {
	sooner := at < m.visibleAt
	m.visibleAt = at
	q.hidden.moved(m)

	// A later time, as that of a heartbeat, makes nothing visible.
	if sooner {
		q.makeVisible(now)
		q.signal()
	}
}
