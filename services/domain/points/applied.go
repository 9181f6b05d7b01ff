package points

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"tandem/services/internal/stream/shardgroup"
)

// clockMargin is how far a reader's clock may be ahead of Kinesis's, and how long after
// its stamp a record may become readable.
const clockMargin = time.Second

// AppliedTo returns the time before which all points that arrived have had their effect in
// the reader of that name; zero where it has not begun. What is shown of a later time is
// not final: more of it may come.
func AppliedTo(ctx context.Context, pool *pgxpool.Pool, name string) (time.Time, error) {
	to, err := shardgroup.AppliedTo(ctx, pool, name)
	if err != nil || to.IsZero() {
		return time.Time{}, err
	}
	return to.Add(-clockMargin), nil
}
