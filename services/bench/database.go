package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"tandem/services/demo/pgserver"
	"tandem/services/demo/runfile"
	"tandem/services/internal/postgres"
	"tandem/services/internal/queue/outbox"
	"tandem/services/test/testenv"
)

// database is a Postgres with two tables of messages: that of package outbox, and a
// simple one without keys.
type database struct {
	url       string
	flushed   *pgxpool.Pool // a commit waits for the disk, as is Postgres' default
	unflushed *pgxpool.Pool // it does not: what a disk without delay would be like
}

const simpleTable = `-- +goose Up
CREATE TABLE simple (
    seq        bigserial   PRIMARY KEY,
    body       bytea       NOT NULL,
    sent_at    timestamptz,
    message_id text        NOT NULL DEFAULT ''
);
CREATE INDEX simple_unsent ON simple (seq) WHERE sent_at IS NULL;
`

// startDatabase starts a private Postgres with its default settings. stop ends it and
// deletes its data.
func startDatabase(ctx context.Context) (db database, stop func() error, err error) {
	cache, err := runfile.CacheDir()
	if err != nil {
		return db, nil, err
	}
	if err := runfile.MakeDir(cache); err != nil {
		return db, nil, err
	}
	dir := filepath.Join(cache, fmt.Sprintf("bench-%d", os.Getpid()))

	starting, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	server, err := testenv.StartPostgres(starting, pgserver.Options{
		Dir: dir, Cache: cache, Say: func(line string) { fmt.Fprintln(os.Stderr, line) },
	})
	if err != nil {
		return db, nil, errors.Join(err, os.RemoveAll(dir))
	}
	stop = func() error {
		db.close()
		server.Stop()
		return os.RemoveAll(dir)
	}

	if db, err = openDatabase(ctx, server.URL()); err != nil {
		return db, nil, errors.Join(err, stop())
	}
	return db, stop, nil
}

func (db database) close() {
	for _, pool := range []*pgxpool.Pool{db.flushed, db.unflushed} {
		if pool != nil {
			pool.Close()
		}
	}
}

// openDatabase creates the tables and opens the pools.
func openDatabase(ctx context.Context, url string) (db database, err error) {
	db.url = url
	err = postgres.Migrate(ctx, url,
		postgres.Schema{Name: "bench", FS: outbox.Migrations()},
		postgres.Schema{Name: "bench", FS: fstest.MapFS{"00001_simple.sql": {Data: []byte(simpleTable)}}, Versions: "simple_version"})
	if err != nil {
		return db, err
	}

	if db.flushed, err = postgres.Open(ctx, url, postgres.PoolOptions{App: "bench"}); err != nil {
		return db, err
	}
	db.unflushed, err = postgres.Open(ctx, url+"?synchronous_commit=off", postgres.PoolOptions{App: "bench"})
	return db, err
}
