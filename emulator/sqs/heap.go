package sqs

import "container/heap"

// pile is a heap of messages that know their place in it.
type pile struct {
	less     func(a, b *message) bool
	messages []*message
}

// bySeq has the message first that came first; byTime the one that is due first.
func bySeq() *pile { return &pile{less: func(a, b *message) bool { return a.Seq < b.Seq }} }
func byTime() *pile {
	return &pile{less: func(a, b *message) bool { return a.visibleAt < b.visibleAt }}
}

func (p *pile) first() *message {
	if len(p.messages) == 0 {
		return nil
	}
	return p.messages[0]
}

func (p *pile) add(m *message)    { heap.Push(p, m) }
func (p *pile) remove(m *message) { heap.Remove(p, m.index) }
func (p *pile) moved(m *message)  { heap.Fix(p, m.index) }

// Len, Less, Swap, Push and Pop are heap.Interface's.
func (p *pile) Len() int           { return len(p.messages) }
func (p *pile) Less(i, j int) bool { return p.less(p.messages[i], p.messages[j]) }
func (p *pile) Swap(i, j int) {
	p.messages[i], p.messages[j] = p.messages[j], p.messages[i]
	p.messages[i].index, p.messages[j].index = i, j
}

// Push adds at the end.
func (p *pile) Push(x any) {
	m, _ := x.(*message)
	m.pile, m.index = p, len(p.messages)
	p.messages = append(p.messages, m)
}

// Pop takes from the end.
func (p *pile) Pop() any {
	last := len(p.messages) - 1
	m := p.messages[last]
	p.messages[last] = nil
	p.messages = p.messages[:last]
	m.pile = nil
	return m
}
