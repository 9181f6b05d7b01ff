package kinesis

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// Sequence numbers are decimal strings of one length. They rise through time,
// resharding, restarts, and across streams of one name, since each is at least
// its time of arrival in ms, shifted by sequenceShift.
const (
	sequencePrefix = "4966"
	sequenceDigits = 20
	sequenceShift  = 20
)

func sequenceText(seq uint64) string { return string(appendSequence(nil, seq)) }

func appendSequence(dst []byte, seq uint64) []byte {
	var digits [sequenceDigits]byte
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = byte('0' + seq%10)
		seq /= 10
	}
	return append(append(dst, sequencePrefix...), digits[:]...)
}

func parseSequence(text string) (uint64, bool) {
	digits, ok := strings.CutPrefix(text, sequencePrefix)
	if !ok || len(digits) != sequenceDigits {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, err == nil
}

// clock hands out a stream's sequence numbers and times of arrival. Neither goes
// back, though the machine's clock may: AT_TIMESTAMP rests on it.
type clock struct {
	mu      sync.Mutex
	next    uint64
	arrived int64 // ms
}

// take returns n sequence numbers, from first on, and their time of arrival.
func (c *clock) take(n int, nowMS int64) (first uint64, arrivedMS int64) {
	c.mu.Lock()
	defer c.mu.Unlock()

	c.arrived = max(c.arrived, nowMS)
	first = max(c.next, uint64(c.arrived)<<sequenceShift)
	c.next = first + uint64(n)

	return first, c.arrived
}

// upcoming returns a number above every one that was taken.
func (c *clock) upcoming() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.next
}

// advancePast makes later numbers and times be above these.
func (c *clock) advancePast(seq uint64, arrivedMS int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next, c.arrived = max(c.next, seq+1), max(c.arrived, arrivedMS)
}

func shardID(n int) string { return fmt.Sprintf("shardId-%012d", n) }
