package console

import (
	"errors"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"tandem/services/internal/auth"
	"tandem/services/internal/workersfile"
)

// Autoscale is the last decision on how many workers there should be, and why.
type Autoscale struct {
	At      time.Time `json:"at"` // by the same clock as heard_at
	Want    int       `json:"want"`
	Min     int       `json:"min"`
	Max     int       `json:"max"`
	Because string    `json:"because"`
}

// roster is the workers that a file names: they come and go while the console runs.
// Nobody misses one that the file has no more: it was retired on purpose.
type roster struct {
	path   string // empty: no file, no workers
	signer *auth.Signer
	now    func() time.Time
	log    *slog.Logger

	mu       sync.Mutex
	peers    []*peer
	decision *workersfile.Decision
	failed   bool // the last read did, and that was said
}

// look returns a peer for each worker that the file names now. Those that stay are
// kept, with their connections and what they have said.
func (r *roster) look() []*peer {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.path == "" {
		return nil
	}

	f, err := workersfile.Read(r.path)
	if err != nil {
		// What cannot be read says nothing about the workers: they are asked as before.
		if !r.failed && !errors.Is(err, fs.ErrNotExist) {
			r.log.Warn("it is not known which workers came or went", "err", err)
		}
		r.failed = true
		return r.peers
	}

	known := map[workersfile.Worker]*peer{}
	for _, p := range r.peers {
		known[workersfile.Worker{Name: p.Name, URL: p.URL}] = p
	}

	r.failed, r.decision, r.peers = false, f.Decision, nil
	for _, w := range f.Workers {
		p := known[w]
		if p == nil {
			p = newPeer(Peer{Name: w.Name, URL: w.URL}, r.signer, r.now)
		}
		r.peers = append(r.peers, p)
	}
	return r.peers
}

// autoscale returns the last decision; nil: nobody decides here.
func (r *roster) autoscale() *Autoscale {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.decision == nil {
		return nil
	}
	return &Autoscale{At: r.decision.At.UTC(), Want: r.decision.Want, Min: r.decision.Min, Max: r.decision.Max, Because: r.decision.Because}
}
