package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// migrateLock is the advisory lock that one migrating process holds.
	migrateLock = 7266_3001
	askAgain    = 200 * time.Millisecond // for migrateLock, while another process holds it
)

// patience is how long a migration waits for tables that others use.
type patience struct {
	// lock is for one lock: whoever asks for the table after it waits as long, and services
	// give up after 8 s.
	lock   time.Duration
	pause  time.Duration // before the next try, in which those go on
	within time.Duration // for all tries of one schema
}

// Migrate brings every schema to its newest version, one process at a time: others wait
// until ctx ends. A migration waits for a lock for 2 s at most, so that those who queue
// behind it go on, and is tried again for two minutes; then the error says so, and the
// migrations before it stay applied.
func Migrate(ctx context.Context, url string, schemas ...Schema) error {
	return migrate(ctx, url, patience{lock: 2 * time.Second, pause: time.Second, within: 2 * time.Minute}, schemas...)
}

func migrate(ctx context.Context, url string, p patience, schemas ...Schema) error {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return errors.New("postgres: the database URL cannot be read")
	}
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return fmt.Errorf("postgres: cannot connect: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()

	if err := alone(ctx, conn); err != nil {
		return fmt.Errorf("postgres: migration lock: %w", err)
	}

	cfg.RuntimeParams["lock_timeout"] = fmt.Sprint(p.lock.Milliseconds())
	for _, s := range schemas {
		if _, err := conn.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+pgx.Identifier{s.Name}.Sanitize()); err != nil {
			return fmt.Errorf("postgres: schema %s: %w", s.Name, err)
		}
		if err := s.migrate(ctx, cfg, p); err != nil {
			return err
		}
	}
	return nil
}

// alone takes the lock of migrations. The lock is the session's: it outlives the
// migrations' own transactions and ends with the connection, whatever happens to this
// process. It is asked for again and again: a statement that waited for it would have a
// snapshot, and CREATE INDEX CONCURRENTLY, by the process that holds the lock, waits for
// every snapshot that is older. Postgres does not see that those two wait for each other.
func alone(ctx context.Context, conn *pgx.Conn) error {
	for {
		var got bool
		if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", migrateLock).Scan(&got); err != nil || got {
			return err
		}
		if err := sleep(ctx, askAgain); err != nil {
			return err
		}
	}
}

// migrate applies what is missing. A try that others' locks ended is repeated: the
// migrations before the one that failed stay applied.
func (s Schema) migrate(ctx context.Context, cfg *pgx.ConnConfig, p patience) error {
	began := time.Now()
	for {
		err := s.up(ctx, cfg)
		if err == nil {
			return nil
		}
		if !Busy(err) {
			return fmt.Errorf("postgres: migrate %s: %w", s.Name, err)
		}
		if time.Since(began) > p.within {
			return fmt.Errorf("postgres: migrate %s: others use its tables, for %s now: look for a long transaction in pg_stat_activity, and run it again: %w",
				s.Name, time.Since(began).Round(time.Second), err)
		}

		if err := sleep(ctx, p.pause); err != nil {
			return fmt.Errorf("postgres: migrate %s: %w", s.Name, err)
		}
	}
}

func (s Schema) up(ctx context.Context, cfg *pgx.ConnConfig) error {
	db := s.open(cfg)
	defer func() { _ = db.Close() }()
	p, err := s.provider(db)
	if err != nil {
		return err
	}

	_, err = p.Up(ctx)
	return err
}

// sleep returns nil after d, or ctx's error once it has ended.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()

	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
