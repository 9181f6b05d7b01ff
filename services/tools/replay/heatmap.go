package replay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tandem/services/heatmap"
)

// Heatmap counts the span again as a new generation, and swaps it in for the rows whose
// arrivals all lie inside the span. Errors: ErrRefused, and what database and stream say;
// then nothing was changed.
func Heatmap(ctx context.Context, cfg Config) (Report, error) {
	r, err := open(ctx, cfg, heatmap.Name)
	if err != nil {
		return Report{}, err
	}
	defer r.pool.Close()

	h, err := heatmap.NewReplay(ctx, r.pool, r.Span.From, r.Span.To)
	if errors.Is(err, heatmap.ErrReplayUnderWay) {
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
	// A row does not say of which shards its points were: the youngest counts for all.
	var whole time.Time
	for _, since := range kept {
		if since.After(whole) {
			whole = since
		}
	}

	_, _ = fmt.Fprintf(r.Out, "%d points read; comparing and swapping\n", r.source.points)
	done, err := h.Swap(ctx, whole, r.DryRun)
	if lost := (*heatmap.KeptError)(nil); errors.As(err, &lost) {
		return Report{}, refuse("%w; begin after what is gone", lost)
	}
	if err != nil {
		return Report{}, err
	}

	r.sayPassed()
	r.sayHeatmap(done)
	return Report{
		Span: r.Span, Equal: done.Before == done.After, Before: Digest(done.Before), After: Digest(done.After), Built: Digest(done.Built),
	}, nil
}

func (r *run) sayHeatmap(d heatmap.Swapped) {
	_, _ = fmt.Fprintf(r.Out, "generation %d: %d rows of %d points, SHA-256 %s (the same each time)\n", d.Generation, d.Built.Rows, d.Points, d.Built.SHA256)
	_, _ = fmt.Fprintf(r.Out, "live rows wholly inside the span, and %d at its edges left as they were\nbefore: %d rows, SHA-256 %s\nafter:  %d rows, SHA-256 %s\n",
		d.Edges, d.Before.Rows, d.Before.SHA256, d.After.Rows, d.After.SHA256)

	switch {
	case d.Before == d.After:
		_, _ = fmt.Fprintln(r.Out, "equal: the heatmap was what the stream says")
	case r.DryRun:
		_, _ = fmt.Fprintf(r.Out, "not equal: %d rows would be removed and %d added (--dry-run: nothing was changed)\n", d.Removed, d.Added)
	default:
		_, _ = fmt.Fprintf(r.Out, "not equal: %d rows were removed and %d added; the heatmap is now what the stream says\n", d.Removed, d.Added)
	}
}
