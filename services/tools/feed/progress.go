package feed

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// progress shows a line with rate and time left: over itself on a terminal,
// every few seconds elsewhere.
type progress struct {
	stopping, stopped chan struct{}
}

func newProgress(f *feeder) *progress {
	p := &progress{stopping: make(chan struct{}), stopped: make(chan struct{})}
	if f.cfg.Quiet || f.cfg.JSON {
		close(p.stopped)
		return p
	}

	every, end := 5*time.Second, "\n"
	if isTerminal(f.out) {
		every, end = 500*time.Millisecond, "\r"
	}

	go func() {
		defer close(p.stopped)
		tick := time.NewTicker(every)
		defer tick.Stop()
		began := time.Now()

		for {
			select {
			case <-p.stopping:
				if end == "\r" { // clear the line, which is longer than what follows
					_, _ = fmt.Fprint(f.out, "\x1b[K")
				}
				return
			case <-tick.C:
				_, _ = fmt.Fprintf(f.out, "  %s%s", f.progressText(time.Since(began)), end)
			}
		}
	}()
	return p
}

func (p *progress) stop() {
	close(p.stopping)
	<-p.stopped
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (f *feeder) progressText(took time.Duration) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.summary
	total, unit := s.Points, "points"
	if f.rec.kind == tripsKind {
		total, unit = s.Rides, "rides"
	}

	done := s.Accepted + s.Resumed
	rate := float64(s.Accepted) / took.Seconds()
	left := "…"
	if rate > 0 {
		left = time.Duration(float64(max(0, total-done))/rate*float64(time.Second)).Round(time.Second).String() + " left"
	}
	return fmt.Sprintf("%d of %d %s, %d refused, %.0f/s, %s     ", done, total, unit, len(s.Refused), rate, left)
}
