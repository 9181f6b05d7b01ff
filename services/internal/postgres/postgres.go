// Package postgres opens pools and applies migrations. It owns no table: each
// schema's SQL lies beside its owner, which hands over a Schema.
package postgres

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

// Schema is one set of migrations (goose, SQL, named 00001_name.sql, at the root
// of FS) and the Postgres schema that they are for. The schema is created before
// its first migration runs, and names that a migration does not qualify are in it.
type Schema struct {
	Name string
	FS   fs.FS
	// Versions is the name of the version table; empty: goose_db_version. A second
	// set of migrations for the same schema needs a table of its own.
	Versions string
}

// Embedded returns the schema of that name whose migrations lie in the folder
// migrations of files, as go:embed leaves them.
func Embedded(name string, files fs.FS) Schema {
	root, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err) // fs.Sub refuses malformed paths alone, and this one is a constant
	}
	return Schema{Name: name, FS: root}
}

// ErrSchemaVersion is wrapped when the database's schema is not the one that
// this build was made for.
var ErrSchemaVersion = errors.New("postgres: schema version")

// PoolOptions bounds a pool.
type PoolOptions struct {
	// App is shown in pg_stat_activity: the service's name.
	App      string
	MaxConns int32 // 0: 8
	// LeaseTime is the shortest lease that code on this pool relies on: no
	// transaction may wait for a lock or sit idle for as long. 0: 10 s.
	LeaseTime time.Duration
	// Tracer, when set, sees every statement: tests that fail one on purpose.
	Tracer pgx.QueryTracer
}

// Open connects and pings. Every connection has lock_timeout and
// idle_in_transaction_session_timeout below LeaseTime, UTC, and App as its
// application_name.
func Open(ctx context.Context, url string, o PoolOptions) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("postgres: the database URL cannot be read; it looks like postgres://user@host:5432/name")
	}
	if o.MaxConns == 0 {
		o.MaxConns = 8
	}
	if o.LeaseTime == 0 {
		o.LeaseTime = 10 * time.Second
	}

	cfg.MaxConns = o.MaxConns
	cfg.MaxConnIdleTime = 2 * time.Minute
	cfg.ConnConfig.ConnectTimeout = 3 * time.Second
	cfg.ConnConfig.Tracer = statementSpans()
	if o.Tracer != nil {
		cfg.ConnConfig.Tracer = o.Tracer
	}

	// A transaction that is frozen or waits for a lock ends before a lease does:
	// its owner must not hold up the one who takes over.
	below := fmt.Sprint((o.LeaseTime * 8 / 10).Milliseconds())
	for k, v := range map[string]string{
		"application_name": "tandem-" + o.App, "timezone": "UTC",
		"lock_timeout": below, "idle_in_transaction_session_timeout": below,
	} {
		cfg.ConnConfig.RuntimeParams[k] = v
	}

	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("postgres: cannot connect: %w", err)
	}
	return pool, nil
}

// Away reports whether err says that Postgres, or another server that was asked, is
// away or overloaded: it cannot be reached, closes its connections, starts or stops.
// The same statement may succeed later, whoever asks.
func Away(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		// https://www.postgresql.org/docs/current/errcodes-appendix.html: connection,
		// resources, an operator or a crash; and a transaction that sat idle, because
		// this process was frozen.
		// Not 57014, a statement that was cancelled: it may be at fault itself.
		return strings.HasPrefix(pg.Code, "08") || strings.HasPrefix(pg.Code, "53") || strings.HasPrefix(pg.Code, "57P") || pg.Code == "25P03"
	}

	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		pgconn.SafeToRetry(err) // its connection was closed before the statement was sent
}

// Busy reports whether err says that others held a lock for too long, or that this
// transaction was ended for another's sake. Nothing of it was written, and the same may
// succeed later.
func Busy(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}

	// Serialization failure, deadlock, lock_timeout:
	// https://www.postgresql.org/docs/current/errcodes-appendix.html
	return pg.Code == "40001" || pg.Code == "40P01" || pg.Code == "55P03"
}

// CheckVersion returns ErrSchemaVersion, with what to do, if the database's
// schemas are not at the newest version that this build holds. A service calls it
// before it serves.
func CheckVersion(ctx context.Context, url string, schemas ...Schema) error {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return errors.New("postgres: the database URL cannot be read")
	}
	for _, s := range schemas {
		if err := s.check(ctx, cfg); err != nil {
			return err
		}
	}
	return nil
}

func (s Schema) check(ctx context.Context, cfg *pgx.ConnConfig) error {
	db := s.open(cfg)
	defer func() { _ = db.Close() }()
	p, err := s.provider(db)
	if err != nil {
		return err
	}

	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("%w: %s: %w; run `tandem migrate`", ErrSchemaVersion, s.Name, err)
	}
	if current != target {
		return fmt.Errorf("%w: %s is at %d, this build needs %d; run `tandem migrate`", ErrSchemaVersion, s.Name, current, target)
	}
	return nil
}

// open opens connections on which names that are not qualified are in s.
func (s Schema) open(cfg *pgx.ConnConfig) *sql.DB {
	cfg = cfg.Copy()
	cfg.RuntimeParams["search_path"] = pgx.Identifier{s.Name}.Sanitize()
	return stdlib.OpenDB(*cfg)
}

func (s Schema) provider(db *sql.DB) (*goose.Provider, error) {
	store, err := database.NewStore(database.DialectPostgres, s.Name+"."+cmp.Or(s.Versions, "goose_db_version"))
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	p, err := goose.NewProvider("", db, s.FS, goose.WithStore(store), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, fmt.Errorf("postgres: migrations of %s: %w", s.Name, err)
	}
	return p, nil
}
