package compare

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"sync"
)

// digest is of the bytes of a point as they arrived; never 0, which is "not there".
type digest uint64

func digestOf(body []byte) digest {
	sum := sha256.Sum256(body)
	return digest(binary.BigEndian.Uint64(sum[:]) | 1)
}

// table is what one team has of a session. It is safe for concurrent use.
type table struct {
	mu         sync.Mutex
	joined     int // N when the team began; -1: it has not
	generation int
	ids        []digest // by number - 1
	got        []int    // the numbers, in the order of their first arrival
	repeats    int
	shards     map[string]int // records by the shard that they came from; of the stream alone
	through    int            // it has all from 1 to this number
	lost       []digest       // what it had when it was emptied

	sum     hash.Hash // over ids[:summed]
	summed  int
	sumText string
}

func newTable() *table { return &table{joined: -1} }

// begin empties the table for a team that begins after number n.
func (t *table) begin(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.empty()
	t.joined, t.lost = n, nil
}

// lose empties the table, as if its disk were gone, and remembers what was in it to
// compare with.
func (t *table) lose() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lost = t.ids
	t.empty()
}

func (t *table) empty() {
	t.generation++
	t.ids, t.got, t.repeats, t.through, t.shards = nil, nil, 0, 0, map[string]int{}
	t.sum, t.summed, t.sumText = nil, 0, ""
}

// take stores a point that arrived. shard is "" on the queue's side.
func (t *table) take(n int, id digest, shard string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.joined < 0 {
		return
	}

	for len(t.ids) < n {
		t.ids = append(t.ids, 0)
	}
	if shard != "" {
		t.shards[shard]++
	}
	if t.ids[n-1] != 0 {
		t.repeats++
		return
	}

	t.ids[n-1] = id
	t.got = append(t.got, n)
	for t.through < len(t.ids) && t.ids[t.through] != 0 {
		t.through++
	}
}

// checksum returns the SHA-256 of the digests of the points 1 to n, all of which
// the table must have.
func (t *table) checksum(n int) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n > t.through {
		return "" // it was emptied meanwhile
	}

	// n rises as long as no table is emptied, so each look adds what is new.
	if t.sum == nil || n < t.summed {
		t.sum, t.summed, t.sumText = sha256.New(), 0, ""
	}
	if t.sumText == "" || n > t.summed {
		write(t.sum, t.ids[t.summed:n])
		t.summed, t.sumText = n, hex.EncodeToString(t.sum.Sum(nil))
	}
	return t.sumText
}

func write(h hash.Hash, ids []digest) {
	var b [8]byte
	for _, id := range ids {
		binary.BigEndian.PutUint64(b[:], uint64(id))
		_, _ = h.Write(b[:]) // never fails: hash.Hash
	}
}

// Lost compares what a table had when it was emptied with what of it has come again.
type Lost struct {
	Before         int    `json:"before"`
	Again          int    `json:"again"`
	ChecksumBefore string `json:"checksum_before"` // of the digests, by number
	ChecksumAgain  string `json:"checksum_again"`
}

// regrown returns the comparison; the caller holds the lock.
func (t *table) regrown() *Lost {
	if t.lost == nil {
		return nil
	}

	before, again := sha256.New(), sha256.New()
	var l Lost
	for i, id := range t.lost {
		if id == 0 {
			continue
		}
		l.Before++
		write(before, []digest{id})
		if i < len(t.ids) && t.ids[i] != 0 {
			l.Again++
			write(again, []digest{t.ids[i]})
		}
	}
	l.ChecksumBefore, l.ChecksumAgain = hex.EncodeToString(before.Sum(nil)), hex.EncodeToString(again.Sum(nil))
	return &l
}
