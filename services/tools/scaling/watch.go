package scaling

import (
	"context"
	"fmt"
	"io"
	"time"

	"tandem/services/internal/queue/autoscale"
)

// Live says which Tandem is looked at.
type Live struct {
	GatewayURL, OperatorKey string
	Every                   time.Duration // between two looks
}

// Watch prints a decision when there are other workers than before, when others are
// wanted, and when the queue stops or begins to answer, with the command that a person
// may run, until ctx ends. It starts and ends nothing.
func Watch(ctx context.Context, w io.Writer, live Live, p autoscale.Policy) error {
	if err := p.Check(); err != nil {
		return err
	}

	l := newLooker(live.GatewayURL, live.OperatorKey)
	var looks []autoscale.Sample

	for said := (news{want: -1}); ctx.Err() == nil; {
		look, err := l.look(ctx)
		switch {
		case err != nil && len(looks) == 0:
			return err // it was not reached at all: a wrong address perhaps
		case err != nil:
			look.Workers = looks[len(looks)-1].Workers
		}

		// By this machine's clock: it is also that of the waits between two looks.
		look.At = time.Now()
		looks = append(p.Trim(look.At, looks), look)
		d := autoscale.Plan(look.At, looks, p)
		if now := (news{d.Want, look.Workers, look.Queue != nil}); now != said && ctx.Err() == nil {
			said = now
			if _, err := fmt.Fprintf(w, "%s  %s\n", look.At.Format(time.TimeOnly), advice(look, d)); err != nil {
				return err
			}
		}

		select {
		case <-ctx.Done():
		case <-time.After(live.Every):
		}
	}
	return nil
}

// news is what is worth a line: the reason's numbers change with every look.
type news struct {
	want, have int
	known      bool
}

// advice is a decision and what to do about it.
func advice(look autoscale.Sample, d autoscale.Decision) string {
	if d.Want == look.Workers {
		return fmt.Sprintf("%d workers: %s", look.Workers, d.Because)
	}
	return fmt.Sprintf("%d workers, and %d are wanted: %s\n          docker compose up -d --no-recreate --scale dispatch=%d dispatch", look.Workers, d.Want, d.Because, d.Want)
}
