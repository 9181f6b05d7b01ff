package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"tandem/services/client"
	"tandem/services/internal/auth"
	"tandem/services/internal/ledger"
)

// Config says what to feed and how.
type Config struct {
	GatewayURL  string
	OperatorKey string

	File    string // "-": the standard input
	Reading Reading
	Speedup float64 // recorded seconds a second; 0: as fast as accepted
	Resume  bool    // go on where the last feed of this file stopped
	// StateDir keeps how far each file was fed; empty: nothing is kept.
	StateDir string
	// LedgerPath is a file that every promise is written to, for tools/audit; empty:
	// none. Each feed that runs at the same time needs its own.
	LedgerPath string

	// For rides: feed's own drivers, and the speed at which they drive, times
	// that of a street.
	Drivers int
	Speed   float64

	DryRun bool // say how the file is understood; Tandem is not asked
	Limit  int  // at most so many points or trips, the earliest; 0: all

	JSON  bool // the summary as JSON
	Quiet bool // no progress line
}

// Refusal is a line, or a point or a ride of it, that was not taken, and why.
type Refusal struct {
	Line   int    `json:"line"`
	Driver string `json:"driver,omitempty"`
	Reason string `json:"reason"`
}

// Summary is what became of a file.
type Summary struct {
	File     string  `json:"file"`
	Hash     string  `json:"hash"`
	Format   string  `json:"format"`
	Extent   *Extent `json:"extent,omitempty"`
	Lines    int     `json:"lines"`
	Outside  int     `json:"outside,omitempty"`  // points or rides recorded at other times than asked for
	Points   int     `json:"points,omitempty"`   // read
	Rides    int     `json:"rides,omitempty"`    // read
	Accepted int     `json:"accepted"`           // points acknowledged, or rides answered with 201
	Repeated int     `json:"repeated,omitempty"` // rides among them that existed already
	// Resumed and ResumedRefused are skipped: the feed that this one goes on from
	// had an answer to them.
	Resumed        int       `json:"resumed,omitempty"`
	ResumedRefused int       `json:"resumed_refused,omitempty"`
	Refused        []Refusal `json:"refused"`
	Notes          []string  `json:"notes,omitempty"` // what is odd about the file or the run
	// Ended counts the accepted rides by the state they ended in; Open are those
	// that had not ended when feed stopped waiting.
	Ended   map[string]int `json:"ended,omitempty"`
	Open    int            `json:"open,omitempty"`
	Serving int            `json:"serving,omitempty"` // feed's drivers who had a ride when feed ended
	Map     string         `json:"map,omitempty"`     // address of the page that shows where it is
	Seconds float64        `json:"seconds"`
}

// feeder is one run of feed.
type feeder struct {
	cfg      Config
	rec      *recording
	importer *client.Session
	out      io.Writer
	progress *progress
	ledger   *ledger.Writer // nil: none is kept

	mu      sync.Mutex
	summary Summary
	state   state
	waiting string // why nothing goes on at the moment; "": it does
}

// ErrNothing is returned when a file was read and nothing of it was accepted.
var ErrNothing = errors.New("feed: nothing was accepted")

// Run feeds cfg.File and prints what became of it. Lines that are refused are
// no error; that the file cannot be read, Tandem not be reached, or nothing be
// accepted, is.
func Run(ctx context.Context, out io.Writer, cfg Config) (s Summary, err error) {
	rec, err := load(out, cfg)
	if err != nil {
		return Summary{}, err
	}

	if rec.fixes = rec.fixes[:limited(len(rec.fixes), cfg.Limit)]; rec.kind == tripsKind {
		rec.trips = rec.trips[:limited(len(rec.trips), cfg.Limit)]
	}
	f := &feeder{
		cfg: cfg, rec: rec, out: out,
		summary: Summary{File: cfg.File, Hash: rec.hash, Format: rec.format, Lines: rec.lines, Outside: rec.outside, Points: rec.points, Rides: len(rec.trips), Refused: append([]Refusal{}, rec.refused...)},
	}

	api := client.New(client.Options{GatewayURL: cfg.GatewayURL, OperatorKey: cfg.OperatorKey, OnRetry: f.waits})
	f.importer = api.As(auth.Importer, "feed-"+rec.hash)

	f.summary.Extent = rec.extent()
	f.summary.Notes = f.summary.Extent.odd()
	if cfg.DryRun {
		return f.summary, f.printDry()
	}

	if cfg.LedgerPath != "" {
		if f.ledger, err = ledger.Open(cfg.LedgerPath, 0); err != nil {
			return Summary{}, err
		}
		defer func() { err = errors.Join(err, f.ledger.Close()) }()
	}

	began := time.Now()
	f.progress = newProgress(out, cfg, f.progressText)
	err = f.feed(ctx)
	f.progress.stop()

	f.summary.Seconds = time.Since(began).Seconds()
	slices.SortStableFunc(f.summary.Refused, func(a, b Refusal) int { return a.Line - b.Line })
	switch {
	case f.summary.Accepted+f.summary.Resumed > 0:
		f.summary.Map = f.summary.Extent.mapURL(cfg.GatewayURL)
	case err == nil:
		err = ErrNothing
	}
	return f.summary, errors.Join(err, f.print())
}

// load reads the file, and shows how far it is.
func load(out io.Writer, cfg Config) (*recording, error) {
	file, err := open(cfg.File)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()

	p := newProgress(out, cfg, file.progressText)
	defer p.stop()
	return read(file, cfg.Reading)
}

func (f *feeder) feed(ctx context.Context) error {
	if err := f.resume(ctx); err != nil {
		return err
	}

	feed := f.feedPoints
	if f.rec.kind == tripsKind {
		feed = f.feedTrips
	}
	err := feed(ctx)
	if err != nil && ctx.Err() != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		stopped := fmt.Errorf("feed: stopped after %d of %d; the same command with --resume goes on there", f.state.Done, len(f.rec.fixes)+len(f.rec.trips))
		if f.waiting != "" {
			stopped = fmt.Errorf("%w (it was %s)", stopped, f.waiting)
		}
		return stopped
	}
	return err
}

// promise notes in the ledger what Tandem promised, so that an audit proves it.
func (f *feeder) promise(e client.Entry) error {
	if f.ledger == nil {
		return nil
	}
	e.At = time.Now().UTC()
	return f.ledger.Write(e)
}

// waits notes why the next try is waited for, so that nobody looks at a line that
// stands still without a reason.
func (f *feeder) waits(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()

	// That a try ran out of time says less than why the one before it failed.
	if f.waiting != "" && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return
	}
	f.waiting = fmt.Sprintf("waiting for %s: %s", f.cfg.GatewayURL, err)
}

func (f *feeder) refuse(line int, driver, reason string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.summary.Refused = append(f.summary.Refused, Refusal{line, driver, reason})
}

func (f *feeder) count(change func(*Summary)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.summary)
}
