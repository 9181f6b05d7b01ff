package shardgroup

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

// sim is a stream, a group's database and the workers on them, and what is true of them.
// Its mu is taken after the model's.
type sim struct {
	m      *model
	stream *fakestream.Stream
	began  time.Time
	poison Poison
	most   int  // Options.MaxRecords
	lying  bool // Processors are

	dice  sync.Mutex // taken after all others
	draw  *rand.Rand
	rates simRates

	persons sync.WaitGroup // who pause shards

	mu    sync.Mutex
	procs []*proc
	lines []string
	fault string // the first thing that is wrong

	gone  chan struct{} // closed when the database is back; nil: it is there
	hangs bool          // calls wait until then
	open  map[*modelTx]*proc

	created time.Time // of the stream
	shards  []*simShard
	named   int // names of shards so far
	records []*simRecord
	byData  map[string]*simRecord
	next    [simKeys]int
	last    map[int]int // the last record of a key that was applied

	owners  map[simAt]string // who acquired a shard last
	taken   map[simAt]bool   // by a person: its owner hears of it later
	working map[*proc]map[simAt]context.Context
}

// simAt is a shard of one life.
type simAt struct {
	life  int64
	shard string
}

type simShard struct {
	name     string
	life     time.Time
	parents  []*simShard
	from, to int // keys
	open     bool
	records  []*simRecord
}

type simRecord struct {
	key, n  int
	shard   *simShard
	at      time.Time
	pos     shardreader.Position
	kind    recordKind
	refused int // so often
	applied bool
}

// recordKind is how a Processor takes a record.
type recordKind int

const (
	fine recordKind = iota
	undecodable
	refused
	failing // it always fails: parked under Park
	twice   // it fails twice
)

func (s *sim) logf(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, fmt.Sprintf("%9.3f ", time.Since(s.began).Seconds())+fmt.Sprintf(format, args...))
}

// story is what happened up to the first fault.
func (s *sim) story() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(s.lines[max(0, len(s.lines)-150):], s.fault)
}

func (s *sim) wrong() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault
}

// is notes what is wrong; mu is held.
func (s *sim) is(format string, args ...any) {
	if s.fault == "" {
		s.fault = fmt.Sprintf("%9.3f WRONG: ", time.Since(s.began).Seconds()) + fmt.Sprintf(format, args...)
	}
}

func (s *sim) chance(p func(simRates) float64) bool {
	s.dice.Lock()
	defer s.dice.Unlock()
	return s.draw.Float64() < p(s.rates)
}

func (s *sim) intN(n int) int {
	s.dice.Lock()
	defer s.dice.Unlock()
	return s.draw.IntN(n)
}

// put puts a key's next record on its shard; of a hundred, draw decides how it is taken.
func (s *sim) put(key, draw int) {
	s.mu.Lock()
	defer s.mu.Unlock()

	kind := fine
	switch {
	case draw < 2:
		kind = undecodable
	case draw < 4:
		kind = refused
	case draw < 6:
		kind = twice
	case draw < 8 && s.poison == Park:
		kind = failing
	}
	for _, sh := range s.shards {
		if !sh.open || key < sh.from || key >= sh.to {
			continue
		}
		s.next[key]++
		r := &simRecord{key: key, n: s.next[key], shard: sh, at: time.Now(), kind: kind}
		data := fmt.Sprintf("%d:%d", r.key, r.n)
		r.pos = shardreader.Position{Shard: sh.name, Sequence: s.stream.PutAt(r.at, sh.name, fmt.Sprint(key), []byte(data))}
		sh.records, s.records, s.byData[data] = append(sh.records, r), append(s.records, r), r
	}
}

// opened adds a shard; mu is held.
func (s *sim) opened(from, to int, parents ...*simShard) string {
	sh := &simShard{name: fmt.Sprint("s", s.named), life: s.created, parents: parents, from: from, to: to, open: true}
	s.named++
	s.shards = append(s.shards, sh)
	return sh.name
}

func (s *sim) split(script *rand.Rand) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.shards[script.IntN(len(s.shards))]
	if !p.open || p.to-p.from < 2 {
		return
	}

	p.open = false
	middle := (p.from + p.to) / 2
	a, b := s.opened(p.from, middle, p), s.opened(middle, p.to, p)
	s.stream.Reshard([]string{p.name}, []string{a, b})
	s.lines = append(s.lines, fmt.Sprintf("%9.3f %s is split into %s and %s", time.Since(s.began).Seconds(), p.name, a, b))
}

func (s *sim) merge(script *rand.Rand) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.shards[script.IntN(len(s.shards))]
	for _, q := range s.shards {
		if !p.open || !q.open || p.to != q.from {
			continue
		}
		p.open, q.open = false, false
		c := s.opened(p.from, q.to, p, q)
		s.stream.Reshard([]string{p.name, q.name}, []string{c})
		s.lines = append(s.lines, fmt.Sprintf("%9.3f %s and %s are merged into %s", time.Since(s.began).Seconds(), p.name, q.name, c))
		return
	}
}

// recreate deletes the stream and creates it again, once, if the group knows it. Not where
// Processors lie: what they say is applied is no part of a gap.
func (s *sim) recreate() {
	known := s.lives() == 1 && !s.lying
	s.mu.Lock()
	defer s.mu.Unlock()
	if !known || s.created.After(s.began) {
		return
	}

	s.stream.Recreate("s0", "s1")
	s.lines = append(s.lines, fmt.Sprintf("%9.3f the stream is recreated", time.Since(s.began).Seconds()))
	s.created, s.shards, s.named = time.Now().Truncate(time.Millisecond), nil, 0
	s.opened(0, simKeys/2)
	s.opened(simKeys/2, simKeys)
}

func (s *sim) lives() int {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	return len(s.m.lives)
}

// acquiredBy is told of each lease that is acquired; the model's mu is held. Nobody may
// still rely on it: who is frozen does not know better, but has timers that do.
func (s *sim) acquiredBy(life int64, shard, worker string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := simAt{life, shard}
	s.owners[at] = worker
	for p, works := range s.working {
		if ctx := works[at]; ctx != nil && ctx.Err() == nil && !s.taken[at] {
			s.is("%s acquires %s, on which %s works and trusts its lease", worker, shard, p.id)
		}
	}
}

// works notes that a process begins to apply records of a shard, or has ended.
func (s *sim) works(ctx context.Context, p *proc, b shardreader.Batch) (end func()) {
	at := simAt{s.lifeOf(b.Records[0]), b.Shard}
	s.mu.Lock()
	defer s.mu.Unlock()
	if owner := s.owners[at]; owner != p.id && ctx.Err() == nil && !s.taken[at] {
		s.is("%s works on %s, trusts its lease, and %s has acquired it", p.id, b.Shard, owner)
	}
	if s.working[p] == nil {
		s.working[p] = map[simAt]context.Context{}
	}
	s.working[p][at] = ctx
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.working[p], at)
	}
}

func (s *sim) lifeOf(rec shardreader.Record) int64 {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lifeID(s.byData[string(rec.Data)].shard.life)
}

// lifeID is what the database calls a life, 0 if nothing; the model's mu is held.
func (s *sim) lifeID(created time.Time) int64 {
	for _, l := range s.m.lives {
		if l.Created.Equal(created) {
			return l.id
		}
	}
	return 0
}

// done reports whether a record is applied or parked; the model's mu is held.
func (s *sim) done(r *simRecord) bool { return r.applied || s.isParked(r) }

func (s *sim) isParked(r *simRecord) bool {
	_, parked := s.m.parked[parkedAt{s.lifeID(r.shard.life), r.pos}]
	return parked
}

// apply is a row of a record, once its transaction has committed; the model's mu is held.
func (s *sim) apply(p *proc, rec shardreader.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()

	r := s.byData[string(rec.Data)]
	at := simAt{s.lifeID(r.shard.life), r.shard.name}
	switch {
	case s.done(r):
		s.is("%s applies %s of %s again", p.id, rec.Data, at.shard)
	case r.n <= s.last[r.key]:
		s.is("%s applies %s of %s after %d:%d", p.id, rec.Data, at.shard, r.key, s.last[r.key])
	case s.owners[at] != p.id:
		s.is("%s applies %s of %s, which %s has acquired", p.id, rec.Data, at.shard, s.owners[at])
	}
	for _, parent := range r.shard.parents {
		for _, before := range parent.records {
			if !s.done(before) {
				s.is("%s applies %s of %s before %d:%d of its parent %s", p.id, rec.Data, at.shard, before.key, before.n, parent.name)
			}
		}
	}
	r.applied, s.last[r.key] = true, r.n
}

// left says what is not applied, drained or owned by now, or what was said wrong of it.
func (s *sim) left() string {
	running := map[string]bool{}
	for _, p := range s.running() {
		running[p.id] = true
	}
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()

	for _, r := range s.records {
		bad := r.kind == undecodable || r.kind == refused || r.kind == failing
		switch {
		case s.isParked(r) && (!bad || r.applied):
			return fmt.Sprintf("%d:%d is parked, and nothing is wrong with it", r.key, r.n)
		case bad && r.applied:
			return fmt.Sprintf("%d:%d is applied, and no Processor took it", r.key, r.n)
		case !s.done(r) && !s.inGap(r, r.shard):
			return fmt.Sprintf("%d:%d of %s, of %v, is neither applied nor parked nor in a gap", r.key, r.n, r.shard.name, r.at.Sub(s.began))
		}
	}
	for _, sh := range s.shards {
		l := s.m.lease(s.lifeID(sh.life), sh.name)
		if l == nil || l.Completed == sh.open || sh.open && !(l.held(s.m.now()) && running[l.Owner]) {
			return fmt.Sprintf("%s, open: %v, has the lease %+v", sh.name, sh.open, l)
		}
	}
	return ""
}

// inGap reports whether a gap was declared for a record, perhaps by a parent of its shard,
// whose end nobody had reached.
func (s *sim) inGap(r *simRecord, sh *simShard) bool {
	for _, g := range s.m.gaps {
		if g.life == s.lifeID(sh.life) && g.shard == sh.name && !r.at.Before(g.from) && r.at.Before(g.to) {
			return true
		}
	}
	for _, p := range sh.parents {
		if s.inGap(r, p) {
			return true
		}
	}
	return false
}
