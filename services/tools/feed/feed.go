package feed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"tandem/services/client"
	"tandem/services/internal/auth"
)

// Config says what to feed and how.
type Config struct {
	GatewayURL  string
	OperatorKey string

	File    string
	Speedup float64 // recorded seconds a second; 0: as fast as accepted
	Resume  bool    // go on where the last feed of this file stopped
	// StateDir keeps how far each file was fed; empty: nothing is kept.
	StateDir string

	// For rides: feed's own drivers, and the speed at which they drive, times
	// that of a street.
	Drivers int
	Speed   float64

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
	File     string    `json:"file"`
	Hash     string    `json:"hash"`
	Lines    int       `json:"lines"`
	Points   int       `json:"points,omitempty"`   // read
	Rides    int       `json:"rides,omitempty"`    // read
	Accepted int       `json:"accepted"`           // points acknowledged, or rides answered with 201
	Repeated int       `json:"repeated,omitempty"` // rides among them that existed already
	Resumed  int       `json:"resumed,omitempty"`  // skipped: accepted by the feed that this one goes on from
	Refused  []Refusal `json:"refused"`
	// Ended counts the accepted rides by the state they ended in; Open are those
	// that had not ended when feed stopped waiting.
	Ended   map[string]int `json:"ended,omitempty"`
	Open    int            `json:"open,omitempty"`
	Seconds float64        `json:"seconds"`
}

// feeder is one run of feed.
type feeder struct {
	cfg      Config
	rec      *recording
	importer *client.Session
	out      io.Writer
	progress *progress

	mu      sync.Mutex
	summary Summary
}

// Run feeds cfg.File and prints what became of it. Lines that are refused are
// no error; that the file cannot be read, or Tandem not be reached, is.
func Run(ctx context.Context, out io.Writer, cfg Config) (Summary, error) {
	rec, err := read(cfg.File)
	if err != nil {
		return Summary{}, err
	}

	api := client.New(client.Options{GatewayURL: cfg.GatewayURL, OperatorKey: cfg.OperatorKey})
	f := &feeder{
		cfg: cfg, rec: rec, out: out, importer: api.As(auth.Importer, "feed-"+rec.hash),
		summary: Summary{File: cfg.File, Hash: rec.hash, Lines: rec.lines, Points: rec.points, Rides: len(rec.trips), Refused: rec.refused},
	}

	began := time.Now()
	f.progress = newProgress(f)
	feed := f.feedPoints
	if rec.kind == tripsKind {
		feed = f.feedTrips
	}
	err = feed(ctx)
	f.progress.stop()

	f.summary.Seconds = time.Since(began).Seconds()
	slices.SortStableFunc(f.summary.Refused, func(a, b Refusal) int { return a.Line - b.Line })
	return f.summary, errors.Join(err, f.print())
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

// namedRefusals is how many refusals the printed summary names one by one.
const namedRefusals = 20

func (f *feeder) print() error {
	s := f.summary
	if f.cfg.JSON {
		enc := json.NewEncoder(f.out)
		enc.SetIndent("", "  ")
		return enc.Encode(s)
	}

	unit, read := "points", s.Points
	if f.rec.kind == tripsKind {
		unit, read = "rides", s.Rides
	}
	if _, err := fmt.Fprintf(f.out, "%s: %d lines, %d %s read, %d accepted, %d refused, in %.1f s\n",
		filepath.Base(s.File), s.Lines, read, unit, s.Accepted, len(s.Refused), s.Seconds); err != nil {
		return err
	}

	if s.Resumed > 0 {
		_, _ = fmt.Fprintf(f.out, "  %d had been accepted before\n", s.Resumed)
	}
	if s.Repeated > 0 {
		_, _ = fmt.Fprintf(f.out, "  %d of the accepted existed already: the same trip is the same ride\n", s.Repeated)
	}

	for _, state := range slices.Sorted(maps.Keys(s.Ended)) {
		_, _ = fmt.Fprintf(f.out, "  %d %s\n", s.Ended[state], state)
	}
	if s.Open > 0 {
		_, _ = fmt.Fprintf(f.out, "  %d had not ended yet\n", s.Open)
	}

	for i, r := range s.Refused {
		if i == namedRefusals {
			_, _ = fmt.Fprintf(f.out, "  … and %d more refusals: --json names them all\n", len(s.Refused)-i)
			break
		}
		_, _ = fmt.Fprintf(f.out, "  line %d refused: %s\n", r.Line, r.Reason)
	}
	return nil
}

// state is how far a file was fed: the first Done points (in time order) or
// lines are accepted or refused.
type state struct {
	Hash string `json:"hash"`
	Done int    `json:"done"`
}

func (f *feeder) statePath() string { return filepath.Join(f.cfg.StateDir, "feed-"+f.rec.hash+".json") }

// resumeAt returns where to begin: 0, or where the feed before stopped.
func (f *feeder) resumeAt() (int, error) {
	if !f.cfg.Resume || f.cfg.StateDir == "" {
		return 0, nil
	}

	b, err := os.ReadFile(f.statePath())
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	var st state
	if err == nil {
		err = json.Unmarshal(b, &st)
	}
	if err != nil {
		return 0, fmt.Errorf("feed: the progress of the last feed cannot be read: %w; run it without --resume, nothing is stored twice", err)
	}
	f.summary.Resumed = st.Done
	return st.Done, nil
}

// saveState notes how far the file was fed.
func (f *feeder) saveState(done int) error {
	if f.cfg.StateDir == "" {
		return nil
	}

	b, err := json.Marshal(state{f.rec.hash, done})
	if err != nil {
		return fmt.Errorf("feed: progress: %w", err)
	}

	// By rename: after a kill the file is whole, or the one before.
	tmp := f.statePath() + ".tmp"
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return fmt.Errorf("feed: progress: %w", err)
	}
	return os.Rename(tmp, f.statePath())
}
