package shardgroup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tandem/services/internal/stream/shardreader"
)

// proc is one process: a Group, and what lies between it and the database and the stream.
type proc struct {
	*sim
	id     string
	cancel context.CancelFunc
	ended  chan struct{}

	state  sync.Mutex
	frozen chan struct{} // closed when it runs on; nil: it runs
	dead   bool
	asked  bool      // to stop
	late   time.Time // until then its timers have not fired, although their time has come
	hangUp context.CancelFunc
}

var (
	errDead = errors.New("the process is dead")
	errAway = errors.New("the database is away")
	errCall = errors.New("the call failed")
	errLost = errors.New("the answer was lost")
	errLie  = errors.New("rolled back without a word")
)

// start starts a process of the group.
func (s *sim) start() {
	ctx, cancel := context.WithCancel(context.Background())
	p := &proc{sim: s, cancel: cancel, ended: make(chan struct{}), hangUp: func() {}}
	s.mu.Lock()
	p.id = fmt.Sprint("w", len(s.procs))
	s.procs = append(s.procs, p)
	s.mu.Unlock()
	s.logf("%s starts", p.id)

	g, err := New(Options{
		Client: simClient{p}, Stream: "s", Pool: new(pgxpool.Pool), Name: "sim", Worker: p.id, Lease: simLease,
		MaxRecords: s.most, Poison: s.poison, Backoff: 5 * time.Second,
		Processor: func(string) Processor { return p }, Log: slog.New(slog.NewTextHandler(p, nil)),
	})
	if err != nil {
		panic(err)
	}
	g.store = p
	go func() {
		defer close(p.ended)
		if err := g.run(ctx, p); err != nil {
			panic(err)
		}
	}()
}

// Write takes the log of the Group.
func (p *proc) Write(line []byte) (int, error) {
	_, text, _ := strings.Cut(strings.TrimSpace(string(line)), "level=")
	p.logf("%s: %s", p.id, text)
	return len(line), nil
}

func (s *sim) all() []*proc {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.procs)
}

// running are the processes that are neither dead nor told to stop. One may be frozen.
func (s *sim) running() (out []*proc) {
	for _, p := range s.all() {
		p.state.Lock()
		if !p.dead && !p.asked {
			out = append(out, p)
		}
		p.state.Unlock()
	}
	return out
}

func (p *proc) isDead() bool {
	p.state.Lock()
	defer p.state.Unlock()
	return p.dead
}

// ask asks it to stop. What has died ends its goroutines.
func (p *proc) ask() {
	p.cancel()
	p.state.Lock()
	defer p.state.Unlock()
	p.asked = true
	if p.dead && p.frozen != nil {
		close(p.frozen)
		p.frozen = nil
	}
}

// die lets none of its calls come back. Where the database notices, it ends its transactions.
func (p *proc) die(noticed bool) {
	p.state.Lock()
	p.dead = true
	if p.frozen == nil {
		p.frozen = make(chan struct{})
	}
	p.state.Unlock()
	if noticed {
		p.abort(func(of *proc) bool { return of == p })
	}
}

func (p *proc) freeze(d time.Duration) {
	p.state.Lock()
	defer p.state.Unlock()
	if p.frozen == nil {
		p.frozen = make(chan struct{})
		time.AfterFunc(d, p.thaw)
	}
}

func (p *proc) thaw() {
	p.state.Lock()
	defer p.state.Unlock()
	if p.frozen != nil && !p.dead {
		close(p.frozen)
		p.frozen, p.late = nil, time.Now().Add(100*time.Millisecond)
	}
}

// pass waits while the process is frozen. What ended meanwhile ctx, its timers, is noticed
// a moment later than what the process was about to do.
func (p *proc) pass(ctx context.Context) (context.Context, error) {
	for {
		p.state.Lock()
		frozen, dead, late := p.frozen, p.dead, time.Now().Before(p.late)
		p.state.Unlock()
		switch {
		case frozen != nil:
			<-frozen
			continue
		case dead:
			return ctx, errDead
		case late:
			ctx = context.WithoutCancel(ctx)
		}
		return ctx, ctx.Err()
	}
}

// away takes the database away. Calls fail, or wait until it is back.
func (s *sim) away(d time.Duration, hangs bool) {
	s.mu.Lock()
	if s.gone == nil {
		s.gone, s.hangs = make(chan struct{}), hangs
		time.AfterFunc(d, s.back)
	}
	s.mu.Unlock()
	s.abort(func(*proc) bool { return true })
	for _, p := range s.all() {
		p.state.Lock()
		p.hangUp()
		p.state.Unlock()
	}
}

func (s *sim) back() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone != nil {
		close(s.gone)
		s.gone = nil
	}
}

// abort ends the open transactions of some processes.
func (s *sim) abort(of func(*proc) bool) {
	s.mu.Lock()
	var open []*modelTx
	for t, p := range s.open {
		if of(p) {
			open = append(open, t)
		}
	}
	s.mu.Unlock()
	for _, t := range open {
		t.abort()
	}
}

// there waits for the database, or fails.
func (s *sim) there(ctx context.Context) error {
	s.mu.Lock()
	gone, hangs := s.gone, s.hangs
	s.mu.Unlock()
	if gone == nil {
		return nil
	}
	if !hangs {
		return errAway
	}
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Process is the Processor of all shards. It takes what is wrong with records from the truth.
func (p *proc) Process(ctx context.Context, b shardreader.Batch, commit Commit) error {
	defer p.works(ctx, p, b)()
	n := len(b.Records)
	if n > 1 && p.chance(func(r simRates) float64 { return r.part }) {
		n = 1 + p.intN(n-1)
	}

	err := p.begin(ctx, func(tx pgx.Tx) error {
		t := tx.(*modelTx)
		var bad []error
		for _, rec := range b.Records[:n] {
			if err := p.refuse(rec); err != nil {
				bad = append(bad, err)
			}
			t.writes = append(t.writes, func() { p.apply(p, rec) })
		}
		if len(bad) > 0 {
			return errors.Join(bad...)
		}
		if err := p.labour(ctx); err != nil {
			return err
		}

		var upTo []shardreader.Position
		if n < len(b.Records) {
			upTo = append(upTo, b.Records[n-1].Position)
		}
		err := commit(ctx, tx, upTo...)
		if err == nil {
			err = p.labour(ctx) // Commit should be last, but whoever is slow then is safe too
		}
		if err == nil && p.chance(func(r simRates) float64 { return r.lies }) {
			err = errLie
		}
		return err
	})
	if errors.Is(err, errLie) {
		p.logf("%s: a transaction on %s is rolled back, and the Processor returns nil", p.id, b.Shard)
		return nil
	}
	return err
}

// labour is what a Processor takes its time for: sometimes so long that others plan meanwhile.
func (p *proc) labour(ctx context.Context) error {
	if p.chance(func(r simRates) float64 { return r.labour }) {
		return sleep(ctx, time.Duration(p.intN(4000))*time.Millisecond)
	}
	return nil
}

// refuse is what a Processor says of a record.
func (s *sim) refuse(rec shardreader.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.byData[string(rec.Data)]
	r.refused++
	switch r.kind {
	case undecodable:
		return Undecodable(rec.Position, errCall)
	case refused:
		return Refused(rec.Position, errCall)
	case failing:
		return &RecordError{rec.Position, errCall}
	case twice:
		if r.refused <= 2 {
			return &RecordError{rec.Position, errCall}
		}
	case fine:
	}
	return nil
}

// pause has a person pause a shard for a while.
func (s *sim) pause(d time.Duration, script interface{ IntN(n int) int }) {
	id := int64(s.lives())
	s.mu.Lock()
	at := simAt{id, s.shards[script.IntN(len(s.shards))].name}
	s.mu.Unlock()
	s.persons.Go(func() {
		if s.take(at, true) {
			time.Sleep(d)
			s.take(at, false)
		}
	})
}

// take pauses or resumes a shard, and reports whether it did.
func (s *sim) take(at simAt, pause bool) bool {
	s.m.mu.Lock()
	known := s.m.lease(at.life, at.shard) != nil
	s.mu.Lock()
	s.dice.Lock()
	calm := s.rates == simRates{}
	s.dice.Unlock()
	if known {
		s.taken[at] = true
	}
	s.mu.Unlock()
	s.m.mu.Unlock()
	if !known || pause && calm || s.m.take(context.Background(), at.life, at.shard, pause) != nil {
		return false
	}
	s.logf("%s is paused: %v", at.shard, pause)
	return true
}

// resumeAll ends all pauses.
func (s *sim) resumeAll() {
	s.m.mu.Lock()
	var paused []simAt
	for _, of := range s.m.lives {
		for _, l := range of.leases {
			if l.Paused && !l.Completed {
				paused = append(paused, simAt{of.id, l.Shard})
			}
		}
	}
	s.m.mu.Unlock()
	for _, at := range paused {
		s.take(at, false)
	}
}
