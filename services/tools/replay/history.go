package replay

import (
	"context"
	"errors"
	"fmt"

	"tandem/services/history"
)

// History reads the span again and replaces history's rows of it. Errors: ErrRefused, and
// what database and stream say; then nothing was changed.
func History(ctx context.Context, cfg Config) (Report, error) {
	r, err := open(ctx, cfg, history.Name)
	if err != nil {
		return Report{}, err
	}
	defer r.pool.Close()

	h, err := history.NewReplay(ctx, r.pool, r.Span.From, r.Span.To)
	if errors.Is(err, history.ErrReplayUnderWay) {
		return Report{}, refuse("%w", err)
	}
	if err != nil {
		return Report{}, err
	}
	defer h.Close()

	if err := r.read(ctx, h.Add); err != nil {
		return Report{}, err
	}
	kept, err := r.source.kept(ctx, r.begun)
	if err != nil {
		return Report{}, err
	}
	if err := r.still(ctx); err != nil {
		return Report{}, err
	}
	_, _ = fmt.Fprintf(r.Out, "%d points read; comparing and replacing\n", r.source.points)
	done, err := h.Replace(ctx, kept, r.DryRun)
	if lost := (*history.KeptError)(nil); errors.As(err, &lost) {
		return Report{}, refuse("%w; begin after what is gone", lost)
	}
	if err != nil {
		return Report{}, err
	}

	r.sayPassed()
	r.sayHistory(done)
	return Report{Span: r.Span, Equal: done.Before == done.After, Before: Digest(done.Before), After: Digest(done.After)}, nil
}

func (r *run) sayHistory(d history.Replaced) {
	if d.Repeated+d.Expired+d.Erased > 0 {
		_, _ = fmt.Fprintf(r.Out, "not stored: %d repeats, %d points of days that were dropped because of their age, %d of drivers that were erased\n", d.Repeated, d.Expired, d.Erased)
	}
	_, _ = fmt.Fprintf(r.Out, "before: %d points, SHA-256 %s\nafter:  %d points, SHA-256 %s\n", d.Before.Rows, d.Before.SHA256, d.After.Rows, d.After.SHA256)

	switch {
	case d.Before == d.After:
		_, _ = fmt.Fprintln(r.Out, "equal: history was what the stream says")
	case r.DryRun:
		_, _ = fmt.Fprintf(r.Out, "not equal: %d rows would be removed and %d added (--dry-run: nothing was changed)\n", d.Removed, d.Added)
	default:
		_, _ = fmt.Fprintf(r.Out, "not equal: %d rows were removed and %d added; history is now what the stream says\n", d.Removed, d.Added)
	}
}
