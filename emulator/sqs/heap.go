package sqs

import "container/heap"

// messageHeap is a heap of messages that know their place in it, so that any of
// them can be removed.
type messageHeap struct {
	less     func(a, b *message) bool
	messages []*message
}

// bySeq returns a heap whose first message is the one that was sent first.
func bySeq() *messageHeap {
	return &messageHeap{less: func(a, b *message) bool { return a.Seq < b.Seq }}
}

// byTime returns a heap whose first message is the one that is due first.
func byTime() *messageHeap {
	return &messageHeap{less: func(a, b *message) bool { return a.visibleAt < b.visibleAt }}
}

// first returns nil when the heap is empty.
func (h *messageHeap) first() *message {
	if len(h.messages) == 0 {
		return nil
	}
	return h.messages[0]
}

func (h *messageHeap) add(m *message)    { heap.Push(h, m) }
func (h *messageHeap) remove(m *message) { heap.Remove(h, m.index) }
func (h *messageHeap) moved(m *message)  { heap.Fix(h, m.index) }

// Len, Less, Swap, Push and Pop are heap.Interface's.
func (h *messageHeap) Len() int           { return len(h.messages) }
func (h *messageHeap) Less(i, j int) bool { return h.less(h.messages[i], h.messages[j]) }
func (h *messageHeap) Swap(i, j int) {
	h.messages[i], h.messages[j] = h.messages[j], h.messages[i]
	h.messages[i].index, h.messages[j].index = i, j
}

// Push adds at the end.
func (h *messageHeap) Push(x any) {
	m, _ := x.(*message)
	m.heap, m.index = h, len(h.messages)
	h.messages = append(h.messages, m)
}

// Pop removes from the end.
func (h *messageHeap) Pop() any {
	last := len(h.messages) - 1
	m := h.messages[last]

	// The array would keep the message in memory.
	h.messages[last] = nil
	h.messages = h.messages[:last]
	m.heap = nil
	return m
}
