package kinesis

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"

	"tandem/emulator/wire"
)

// streamInfo is all that is stored of a stream, except its records. It is never
// changed: a changed copy takes its place.
type streamInfo struct {
	Name         string      `json:"name"`
	Created      int64       `json:"created"` // ms
	Retention    int32       `json:"retention_hours"`
	KeyID        string      `json:"key_id,omitempty"` // empty: not encrypted
	MaxRecordKiB int32       `json:"max_record_kib"`
	NextShard    int         `json:"next_shard"`
	Shards       []shardInfo `json:"shards"` // by ID; those past retention are gone
	Consumers    []consumer  `json:"consumers,omitempty"`
	LastStamp    int64       `json:"last_stamp,omitempty"` // the newest of a consumer that is gone
}

// shardInfo is what is stored of a shard.
type shardInfo struct {
	ID        string   `json:"id"`
	Start     hashKey  `json:"start"` // hash keys, both inclusive
	End       hashKey  `json:"end"`
	Parents   []string `json:"parents,omitempty"`
	FirstSeq  uint64   `json:"first_seq"` // below the first record's
	Opened    int64    `json:"opened"`    // ms
	ClosedSeq uint64   `json:"closed_seq,omitempty"`
	Closed    int64    `json:"closed,omitempty"` // ms; both 0 while it is open
}

func (i shardInfo) open() bool { return i.ClosedSeq == 0 }

func (n *streamInfo) clone() *streamInfo {
	c := *n
	c.Shards, c.Consumers = slices.Clone(n.Shards), slices.Clone(n.Consumers)
	return &c
}

func (n *streamInfo) shard(id string) *shardInfo {
	i, ok := slices.BinarySearchFunc(n.Shards, id, func(sh shardInfo, id string) int {
		return strings.Compare(sh.ID, id)
	})
	if !ok {
		return nil
	}
	return &n.Shards[i]
}

// openShards returns the open shards, ordered by hash key.
func (n *streamInfo) openShards() (out []shardInfo) {
	for _, sh := range n.Shards {
		if sh.open() {
			out = append(out, sh)
		}
	}
	slices.SortFunc(out, func(a, b shardInfo) int { return a.Start.compare(b.Start) })
	return out
}

// horizon returns the trim horizon: records that arrived before it are out of
// retention.
func (n *streamInfo) horizon(nowMS int64) int64 {
	return nowMS - int64(n.Retention)*60*60*1000
}

// expired reports whether a shard is closed and all its records are out of
// retention.
func (n *streamInfo) expired(sh shardInfo, nowMS int64) bool {
	return !sh.open() && sh.Closed < n.horizon(nowMS)
}

func (n *streamInfo) encryption() string {
	if n.KeyID == "" {
		return "NONE"
	}
	return "KMS"
}

// stream is one stream as it works. Its lock is shared by whoever relies on the
// topology, and taken alone to change that.
type stream struct {
	clock   clock
	mu      sync.RWMutex
	info    *streamInfo
	deleted bool
	byID    map[string]*shard
	open    []*shard  // by hash key
	ends    []hashKey // the last key of each of open
}

// shard is one shard as it works; its lock guards all but the first three.
type shard struct {
	id       string
	firstSeq uint64
	stream   *stream
	mu       sync.Mutex
	log      *log
	closed   uint64 // its closing's sequence; 0 while it is open
	limits   throttle
	meter    meter
	arrivals chan struct{} // closed at the next put or the end; nil: nobody waits
}

func (st *stream) topology() *streamInfo {
	st.mu.RLock()
	defer st.mu.RUnlock()
	return st.info
}

func streamDir(root string, n *streamInfo) string {
	return filepath.Join(root, fmt.Sprintf("%s-%d", n.Name, n.Created))
}

func (st *stream) openShard(dir string, fsync bool, info shardInfo) (*shard, error) {
	l, err := openLog(filepath.Join(dir, info.ID), fsync)
	if err != nil {
		return nil, err
	}

	// What a restart finds must stay below what it hands out next, whatever the
	// machine's clock says now.
	if last, ok := l.last(); ok {
		st.clock.advancePast(last.Seq, last.Arrived)
	}
	st.clock.advancePast(max(info.FirstSeq, info.ClosedSeq), max(info.Opened, info.Closed))

	return &shard{id: info.ID, firstSeq: info.FirstSeq, stream: st, log: l, closed: info.ClosedSeq, limits: newThrottle()}, nil
}

// replaceTopology makes next the stream's topology, working with the given
// shards. The caller holds the stream's lock alone.
func (st *stream) replaceTopology(next *streamInfo, shards map[string]*shard) {
	st.info, st.byID, st.open, st.ends = next, shards, nil, nil
	for _, info := range next.openShards() {
		st.open, st.ends = append(st.open, shards[info.ID]), append(st.ends, info.End)
	}

	// Closing a shard wakes those who wait at its tip, so that they go on to its
	// children.
	for _, info := range next.Shards {
		if !info.open() {
			shards[info.ID].end(info.ClosedSeq)
		}
	}
}

// end closes the shard: its readers learn of it at once.
func (sh *shard) end(seq uint64) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.closed = seq
	sh.wake()
}

func (sh *shard) wake() {
	if sh.arrivals != nil {
		close(sh.arrivals)
		sh.arrivals = nil
	}
}

// route returns the index in open of the shard that takes a hash key.
func (st *stream) route(h hashKey) int {
	return sort.Search(len(st.ends)-1, func(i int) bool { return st.ends[i].compare(h) >= 0 })
}

func (st *stream) shard(id string) (*shard, error) {
	if sh := st.byID[id]; sh != nil {
		return sh, nil
	}
	return nil, wire.Bad("ResourceNotFoundException", "Shard %s in stream %s under account %s does not exist", id, st.info.Name, account)
}

// each calls do for every shard.
func (st *stream) each(do func(*shard) error) error {
	st.mu.RLock()
	defer st.mu.RUnlock()
	var errs []error
	for _, sh := range st.byID {
		errs = append(errs, do(sh))
	}
	return errors.Join(errs...)
}

func (sh *shard) close() error {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.log.close()
}

// discard deletes the shard's records. Those who still read it find none.
func (sh *shard) discard() error {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	err := errors.Join(sh.log.close(), os.RemoveAll(sh.log.dir))

	// An empty log in its place: what reads the shard afterwards does not touch
	// closed files.
	sh.log = &log{dir: sh.log.dir}
	return err
}
