package feed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"tandem/services/client"
	"tandem/services/internal/problem"
)

// state is how far a file was fed into one Tandem's data: of the first Done points
// (in time order) or trips, Accepted were taken and Refused were not.
type state struct {
	Hash     string  `json:"hash"`
	Done     int     `json:"done"`
	Accepted int     `json:"accepted"`
	Refused  int     `json:"refused"`
	Drivers  int     `json:"drivers,omitempty"` // feed's own: rides may still be assigned to them
	Witness  witness `json:"witness"`
}

// witness is one of the newest things that Tandem took. A Tandem that does not
// have it has other data than the one that was fed.
type witness struct {
	Driver string `json:"driver,omitempty"` // with Seq: a point
	Seq    int64  `json:"seq,omitempty"`
	Ride   string `json:"ride,omitempty"`
}

// statePath names a file for each recording, the times that are asked for of it, and
// gateway: what was done of one is not what was done of another.
func (f *feeder) statePath() string {
	at := sha256.Sum256(fmt.Append(nil, f.cfg.GatewayURL, f.cfg.Reading.From.UnixMilli(), f.cfg.Reading.To.UnixMilli()))
	return filepath.Join(f.cfg.StateDir, "feed-"+f.rec.hash+"-"+hex.EncodeToString(at[:4])+".json")
}

// readState returns what the feed before noted; zero where there was none.
func (f *feeder) readState() (st state, err error) {
	if f.cfg.StateDir == "" {
		return st, nil
	}

	b, err := os.ReadFile(f.statePath())
	if errors.Is(err, fs.ErrNotExist) {
		return st, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &st)
	}
	if err != nil {
		return st, fmt.Errorf("feed: the progress of the last feed cannot be read: %w; remove %s, nothing is stored twice", err, f.statePath())
	}
	return st, nil
}

// resume sets where to begin: at the start, or where the feed before stopped.
func (f *feeder) resume(ctx context.Context) error {
	st, err := f.readState()
	if err != nil {
		return err
	}
	f.count(func(*Summary) { f.state = state{Hash: f.rec.hash, Drivers: st.Drivers} })
	if !f.cfg.Resume || st.Done == 0 {
		return nil
	}

	// A note alone proves nothing: the data may have been deleted since. To begin
	// again is always safe, because a repeat is stored once.
	has, err := f.has(ctx, st.Witness)
	if err != nil {
		return fmt.Errorf("feed: look for what the last feed sent: %w", err)
	}
	if !has {
		f.count(func(s *Summary) {
			s.Notes = append(s.Notes, "this Tandem does not have what the last feed sent, so the file was fed from its start")
		})
		return nil
	}
	f.count(func(s *Summary) {
		f.state, f.waiting = st, ""
		s.Resumed, s.ResumedRefused = st.Accepted, st.Refused
	})
	return nil
}

// has reports whether Tandem has what w names. History may be a moment behind
// what it will store: then the file is fed from its start, which is only slower.
func (f *feeder) has(ctx context.Context, w witness) (bool, error) {
	if w.Ride != "" {
		_, err := f.importer.Ride(ctx, w.Ride)
		if client.IsCode(err, problem.NotFound) {
			return false, nil
		}
		return err == nil, err
	}

	if w.Driver == "" {
		return false, nil
	}
	last, err := f.importer.For(w.Driver).LastSeq(ctx)
	return err == nil && last >= w.Seq, err
}

// saveState notes how far the file was fed.
func (f *feeder) saveState(st state) error {
	if f.cfg.StateDir == "" {
		return nil
	}

	b, err := json.Marshal(st)
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
