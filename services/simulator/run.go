package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"tandem/services/client"
	"tandem/services/domain/city"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/ledger"
	"tandem/services/internal/lifecycle"
)

// Config is what the simulator needs.
type Config struct {
	GatewayURL  string
	OperatorKey string
	Auth        *auth.Signer // checks who asks for its status

	Drivers         int
	RidersPerMinute float64
	Rush            Rush
	// CancelShare of the riders cancel once a driver has accepted, so that drivers are
	// soon free again however many riders come; 0: a few cancel, before that.
	CancelShare float64
	Speed       float64 // times the streets' speed
	Seed        uint64
	RunID       string // in every Idempotency-Key; empty: made from the clock
	// For is how long riders come; 0: until stopped. Then rides under way are
	// finished, for at most DrainFor, and the phase turns to finished.
	For      time.Duration
	DrainFor time.Duration // 0: two minutes

	LedgerPath string // empty: no ledger
	ReportPath string // empty: no report
}

// Rush is a time in which more riders come. The zero value is none.
type Rush struct {
	After, For      time.Duration // since riders began to come
	RidersPerMinute float64
}

const (
	warmShare = 0.3
	// warmEvery is about as fast as the demo's two workers find drivers, so that
	// nobody waits in a queue because of it.
	warmEvery = 400 * time.Millisecond
	maxOpen   = 5_000
	// startEvery spreads the drivers' logins.
	startEvery = 5 * time.Millisecond
)

type sim struct {
	cfg    Config
	log    *slog.Logger
	api    *client.API
	city   *city.City
	stats  *stats
	ledger *ledger.Writer
	fleet  []driver
	onRoad atomic.Int64
	open   chan struct{}
	riders sync.WaitGroup
}

// Run simulates until ctx ends.
func Run(ctx context.Context, env lifecycle.Env, cfg Config) (err error) {
	if cfg.RunID == "" {
		cfg.RunID = fmt.Sprintf("run-%d", time.Now().UnixMilli())
	}
	if cfg.DrainFor == 0 {
		cfg.DrainFor = 2 * time.Minute
	}

	streets, err := city.Load()
	if err != nil {
		return fmt.Errorf("simulator: %w", err)
	}
	s := &sim{
		cfg: cfg, log: env.Log, city: streets, stats: newStats(), open: make(chan struct{}, maxOpen),
		api: client.New(client.Options{GatewayURL: cfg.GatewayURL, OperatorKey: cfg.OperatorKey}),
	}

	// The ledger is closed after everybody who writes to it has ended.
	if cfg.LedgerPath != "" {
		if s.ledger, err = ledger.Open(cfg.LedgerPath, 0); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.ledger.Close()) }()
	}
	for n := range cfg.Drivers {
		s.fleet = append(s.fleet, s.newDriver(n))
	}

	defer s.riders.Wait()
	err = lifecycle.Group(ctx,
		lifecycle.Task{Name: "http", Run: func(ctx context.Context) error {
			return httpserver.Serve(ctx, httpserver.Options{Name: "simulator", Env: env, Auth: cfg.Auth, Status: func() any { return s.report() }})
		}},
		lifecycle.Task{Name: "drivers", Run: s.drivers},
		lifecycle.Task{Name: "drivers of before", Run: s.bringBack},
		lifecycle.Task{Name: "riders", Run: s.bookings},
	)
	return errors.Join(err, s.writeReport())
}

// drivers starts every driver and waits for them.
func (s *sim) drivers(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, d := range s.fleet {
		wg.Go(func() { s.drive(ctx, d) })
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(startEvery):
		}
	}

	s.stats.setPhase("running")
	<-ctx.Done()
	return nil
}

// finish lets rides under way end, then says so.
func (s *sim) finish(ctx context.Context) {
	s.stats.setPhase("draining")
	ended := make(chan struct{})
	go func() { s.riders.Wait(); close(ended) }()

	select {
	case <-ctx.Done():
	case <-ended:
	case <-time.After(s.cfg.DrainFor):
		s.log.Warn("some rides had not ended in time", "open", len(s.open), "waited", s.cfg.DrainFor)
	}

	s.stats.setPhase("finished")
	if err := s.writeReport(); err != nil {
		s.log.Error("the report was not written", "err", err)
	}
}

func (s *sim) report() Report {
	r := s.stats.report()
	r.OnRoad, r.Open = s.onRoad.Load(), len(s.open)
	return r
}

func (s *sim) writeReport() error {
	if s.cfg.ReportPath == "" {
		return nil
	}

	b, err := json.MarshalIndent(s.report(), "", "  ")
	if err != nil {
		return fmt.Errorf("simulator: report: %w", err)
	}
	if err := os.WriteFile(s.cfg.ReportPath, append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("simulator: report: %w", err)
	}
	return nil
}

// rng returns random numbers that follow from the seed, a kind and a number alone.
func (s *sim) rng(kind string, n int) *rand.Rand {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s/%d", kind, n) // a hash never fails
	return rand.New(rand.NewPCG(s.cfg.Seed, h.Sum64()))
}

// hour returns the city's hour, fixed for a run so that a seed's trips do not
// depend on when they are asked for: early evening, when a city is out.
func (s *sim) hour() int { return 19 }

func (s *sim) recordRide(key, rider, rideID string, status int) {
	s.write(client.Entry{At: time.Now().UTC(), Kind: client.KindRide, Ride: &client.RideEntry{Key: key, RideID: rideID, Rider: rider, Status: status}})
}

func (s *sim) recordPoints(driver string, sent []client.Point, a client.PointsAnswer) {
	p := client.NewPointsEntry(driver, sent, a)
	s.stats.batch(a, len(p.Promised()), len(sent), a.Took)
	s.write(client.Entry{At: time.Now().UTC(), Kind: client.KindPoints, Points: &p})
}

func (s *sim) write(e client.Entry) {
	if s.ledger == nil {
		return
	}
	if err := s.ledger.Write(e); err != nil {
		s.log.Error("the ledger cannot be written; an audit will miss promises", "err", err)
	}
}
