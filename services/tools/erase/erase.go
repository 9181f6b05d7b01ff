// Package erase takes a driver's points out of Tandem: `tandem erase driver` calls it.
//
// It is two transactions. The first writes the driver's tombstone (history.erased) and
// who acts (operations.acts); from then on history does not store what had arrived by
// then. The second deletes the rows, and writes the outcome of the act. If the process dies
// in between, the act has no outcome, and erasing again finishes it.
//
// What it cannot take away, docs/guarantees.md lists.
package erase

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tandem/services/domain/event"
	"tandem/services/heatmap"
	"tandem/services/history"
	"tandem/services/internal/postgres"
	"tandem/services/internal/problem"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/speeding"
	"tandem/services/speeding/erasure"
	"tandem/services/tools/deadletter"
)

// place is where the act is said to have been done.
const place = "history"

// Open connects to a database that has all the schemas. The caller closes the pool.
func Open(ctx context.Context, url string) (*pgxpool.Pool, error) {
	err := postgres.CheckVersion(ctx, url, history.Schema(), heatmap.Schema(), speeding.Schema(), deadletter.Schema(),
		postgres.Schema{Name: shardgroup.SchemaName, FS: shardgroup.Migrations()})
	if err != nil {
		return nil, err
	}
	return postgres.Open(ctx, url, postgres.PoolOptions{App: "erase", MaxConns: 2})
}

// Driver erases a driver's points that have arrived up to now and returns the act. An
// error that comes with an act says that the tombstone is there and the rows are, too:
// erase again. It is safe to call at any time, also again.
func Driver(ctx context.Context, pool *pgxpool.Pool, driver string, by deadletter.By) (deadletter.Act, error) {
	if !event.ValidID(driver) {
		return deadletter.Act{}, problem.Field("driver", "No driver has this id: one has 1 to 64 of A-Z a-z 0-9 _ and -.")
	}

	var act deadletter.Act
	until, err := history.Forget(ctx, pool, driver, func(tx pgx.Tx) (err error) {
		act, err = deadletter.Begin(ctx, tx, deadletter.ActErase, place, driver, by)
		return err
	})
	if err != nil {
		return deadletter.Act{}, err
	}

	done := act
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		result, err := rows(ctx, tx, driver, until)
		if err != nil {
			return err
		}
		done, err = deadletter.End(ctx, tx, act, deadletter.OutcomeDone, result)
		return err
	})
	if err != nil {
		return failed(ctx, pool, act, err)
	}
	return done, nil
}

// rows deletes what names the driver, and says how much that was.
func rows(ctx context.Context, tx pgx.Tx, driver string, until time.Time) (string, error) {
	points, err := history.EraseRows(ctx, tx, driver)
	if err != nil {
		return "", err
	}
	dead, err := shardgroup.EraseDeadRecords(ctx, tx, driver, until)
	if err != nil {
		return "", err
	}
	present, err := heatmap.ErasePresence(ctx, tx, driver, until)
	if err != nil {
		return "", err
	}
	fast, err := erasure.Driver(ctx, tx, driver)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("points: %d, dead records: %d, rows of presence: %d, of speeding: %d; history does not store again what arrived up to %s",
		points, dead, present, fast, until.UTC().Format(time.RFC3339)), nil
}

// failed writes that the rows are still there.
func failed(ctx context.Context, pool *pgxpool.Pool, act deadletter.Act, why error) (deadletter.Act, error) {
	// The caller may be what ended it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()

	const result = "its rows are still there: erase again"
	act, err := deadletter.End(ctx, pool, act, deadletter.OutcomeFailed, result)
	if err != nil {
		return act, fmt.Errorf("%s: %w; and its outcome is not written down: %w", result, why, err)
	}
	return act, fmt.Errorf("%s: %w", result, why)
}
