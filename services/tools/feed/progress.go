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

func newProgress(out io.Writer, cfg Config, text func(took time.Duration) string) *progress {
	p := &progress{stopping: make(chan struct{}), stopped: make(chan struct{})}
	if cfg.Quiet || cfg.JSON {
		close(p.stopped)
		return p
	}

	every, end := 5*time.Second, "\n"
	if isTerminal(out) {
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
					_, _ = fmt.Fprint(out, "\x1b[K")
				}
				return
			case <-tick.C:
				_, _ = fmt.Fprintf(out, "  %s%s", text(time.Since(began)), end)
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

// progressText says how far the file was read.
func (c *counted) progressText(took time.Duration) string {
	const mb = 1e6
	read, part := float64(c.bytes.Load())/mb, c.part()
	if part == 0 {
		return fmt.Sprintf("reading: %.0f MB     ", read)
	}
	left := time.Duration(float64(took) * (1 - part) / part).Round(time.Second)
	return fmt.Sprintf("reading: %.0f of %.0f MB, %s left     ", read, float64(c.size)/mb, left)
}

func (f *feeder) progressText(took time.Duration) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waiting != "" {
		return f.waiting
	}

	s := f.summary
	total, before := len(f.rec.fixes), s.Resumed+s.ResumedRefused
	done, what := s.Accepted, fmt.Sprintf("%d of %d points accepted", s.Resumed+s.Accepted, total)
	if f.rec.kind == tripsKind {
		// A trip is done when its ride has ended, not when it is booked.
		ended := s.Open
		for _, n := range s.Ended {
			ended += n
		}
		total, done = len(f.rec.trips), ended
		what = fmt.Sprintf("%d of %d rides booked, %d under way, %d ended", s.Resumed+s.Accepted, total, s.Accepted-ended, s.Resumed+ended)
	}

	left := "…"
	if rate := float64(done) / took.Seconds(); rate > 0 {
		todo := max(0, total-before-done-(f.state.Refused-s.ResumedRefused))
		left = fmt.Sprintf("%.1f/s, %s left", rate, time.Duration(float64(todo)/rate*float64(time.Second)).Round(time.Second))
	}
	return fmt.Sprintf("%s, %d refused, %s     ", what, len(s.Refused), left)
}
