package city

import (
	"container/heap"
	"math"
)

// search is one run of A* (Dijkstra where estimate is 0).
type search struct {
	estimate func(node int32) float64
	cost     []float64
	from     []int32 // the node before, -1 at the start
	via      []int32 // the edge that led here
	done     []bool
	queue    nodeQueue
}

func newSearch(c *City, estimate func(int32) float64) *search {
	s := &search{
		estimate: estimate, cost: make([]float64, len(c.nodes)),
		from: make([]int32, len(c.nodes)), via: make([]int32, len(c.nodes)), done: make([]bool, len(c.nodes)),
	}
	for i := range s.cost {
		s.cost[i] = math.Inf(1)
	}
	return s
}

// reach notes that n can be reached from a node at cost, where that is quicker
// than what is known.
func (s *search) reach(n int32, cost float64, from, via int32) {
	if s.done[n] || cost >= s.cost[n] {
		return
	}

	s.cost[n], s.from[n], s.via[n] = cost, from, via
	heap.Push(&s.queue, queued{n, cost + s.estimate(n)})
}

// next takes the most promising node that is not done yet; the queue is not
// empty. A node is queued again each time that a quicker way to it is found: the
// slower entries are skipped here, which is cheaper than finding and changing them.
func (s *search) next() int32 {
	for {
		q, _ := heap.Pop(&s.queue).(queued)
		if !s.done[q.node] || s.queue.Len() == 0 {
			s.done[q.node] = true
			return q.node
		}
	}
}

type queued struct {
	node int32
	rank float64
}

type nodeQueue []queued

func (q nodeQueue) Len() int           { return len(q) }
func (q nodeQueue) Less(i, j int) bool { return q[i].rank < q[j].rank }
func (q nodeQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *nodeQueue) Push(x any)        { n, _ := x.(queued); *q = append(*q, n) }
func (q *nodeQueue) Pop() any {
	last := len(*q) - 1
	x := (*q)[last]
	*q = (*q)[:last]
	return x
}
