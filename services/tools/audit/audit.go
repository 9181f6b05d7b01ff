package audit

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tandem/services/domain/profile"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/postgres"
)

// Config says what to audit and against what. DatabaseURL is needed.
type Config struct {
	DatabaseURL string
	AWS         awsclient.Config
	Profile     profile.Profile // its time-outs say what is late; zero: profile.Default
	// LedgerPath is a client's ledger (package ledger); empty: nothing was
	// promised that we know of.
	LedgerPath string
	// NoStream leaves the stream unread: order, checkpoints and the heatmap's
	// sum are then judged by the rows alone.
	NoStream bool
	// AllowGaps passes although a group declared that it could not read a part
	// of the stream.
	AllowGaps bool
	// AtRest says that nothing is being booked or delivered, on the emulator:
	// only then must the queues be empty.
	AtRest bool
	// Wait is how long to wait for the readers to catch up with now; 0: not.
	Wait time.Duration
	Log  *slog.Logger // nil: silent
}

// clockMargin is how far the clocks of clients, stream and readers may differ.
const clockMargin = time.Second

// auditor is one audit in its snapshot.
type auditor struct {
	cfg      Config
	out      outside
	tx       pgx.Tx
	now      time.Time // of the snapshot, by the database
	history  group
	heatmap  group
	promised *promises
	view     *streamView // nil: the stream was not read
	report   Report
}

// Run audits. The error says why it could not; what it found is in the Report.
func Run(ctx context.Context, cfg Config) (Report, error) {
	if cfg.Profile == (profile.Profile{}) {
		cfg.Profile = profile.Default()
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}

	out, err := newCloud(ctx, cfg.AWS, cfg.Log)
	if err != nil {
		return Report{}, err
	}
	return audit(ctx, cfg, out)
}

func audit(ctx context.Context, cfg Config, out outside) (Report, error) {
	pool, err := postgres.Open(ctx, cfg.DatabaseURL, postgres.PoolOptions{App: "audit", MaxConns: 2})
	if err != nil {
		return Report{}, err
	}
	defer pool.Close()

	a := &auditor{cfg: cfg, out: out}
	if err := a.waitForReaders(ctx, pool); err != nil {
		return Report{}, err
	}

	// All checks see one moment: a ride that ends, or a point that is stored, between
	// two of them would look like a loss. Read-only, so that an audit harms nothing.
	err = pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		a.tx = tx
		return a.run(ctx)
	})
	if err != nil {
		return Report{}, fmt.Errorf("audit: %w", err)
	}

	a.report.NotJudged = unjudged(cfg)
	a.report.finish()
	return a.report, nil
}

func (a *auditor) run(ctx context.Context) error {
	if err := a.open(ctx); err != nil {
		return err
	}

	for _, check := range []func(context.Context) error{
		a.rides, a.drivers, a.keys, a.wakes, a.notifications, a.queues, a.points, a.gaps,
	} {
		if err := check(ctx); err != nil {
			return err
		}
	}
	return nil
}

// open takes the snapshot, and reads what its rows are compared with.
func (a *auditor) open(ctx context.Context) error {
	// The stream is read while the snapshot stays open, longer than an idle
	// transaction may take elsewhere.
	if _, err := a.tx.Exec(ctx, `SET LOCAL idle_in_transaction_session_timeout = 0`); err != nil {
		return err
	}
	// A dropped partition's rows are gone also for a snapshot of before, in which nothing
	// says so yet. The lock, taken before the snapshot, keeps all partitions until the end.
	if _, err := a.tx.Exec(ctx, `LOCK TABLE history.points IN ACCESS SHARE MODE`); err != nil {
		return err
	}
	if err := a.tx.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&a.now); err != nil {
		return err
	}

	var err error
	if a.history, err = readGroup(ctx, a.tx, "history"); err != nil {
		return err
	}
	if a.heatmap, err = readGroup(ctx, a.tx, "heatmap"); err != nil {
		return err
	}

	// A point that was promised a moment ago may rightly not be in history yet: only
	// what history's checkpoints vouch for is asked of it.
	a.promised = &promises{}
	if a.cfg.LedgerPath != "" {
		if a.promised, err = readPromises(a.cfg.LedgerPath, a.now.Add(-clockMargin), a.history.known().Add(-clockMargin), a.cfg.Profile.KeepFor); err != nil {
			return err
		}
	}

	if a.cfg.NoStream {
		return nil
	}
	a.view = newStreamView(a.history, a.heatmap)
	return a.out.Stream(ctx, a.now, a.view.add)
}

const lookEvery = 200 * time.Millisecond

// waitForReaders returns once both readers vouch for everything that arrived
// before it was called, or Wait is over: then the check "readers" says so.
func (a *auditor) waitForReaders(ctx context.Context, pool *pgxpool.Pool) error {
	if a.cfg.Wait == 0 {
		return nil
	}

	began := time.Now()
	late := newFinding(4, "readers")
	for {
		var behind []string
		for _, name := range []string{"history", "heatmap"} {
			g, err := readGroup(ctx, pool, name)
			if err != nil {
				return fmt.Errorf("audit: %w", err)
			}
			if known := g.known(); known.Before(began.Add(clockMargin)) {
				behind = append(behind, fmt.Sprintf("%s vouches for what arrived until %s", name, text(known)))
			}
		}

		if len(behind) == 0 || time.Since(began) > a.cfg.Wait {
			if len(behind) > 0 {
				late.broken("%s; the audit began at %s and waited %v", strings.Join(behind, ", "), text(began), a.cfg.Wait)
			}
			late.count("waited_ms", time.Since(began).Milliseconds())
			a.report.add(late.done("both readers passed the audit's beginning within %v", time.Since(began).Round(time.Millisecond)))
			return nil
		}

		if err := pause(ctx, lookEvery); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()

	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

func text(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("15:04:05.000")
}
