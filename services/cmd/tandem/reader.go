package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"tandem/services/internal/problem"
	"tandem/services/tools/reader"
)

type readerCmd struct {
	List   readerListCmd   `cmd:"" help:"List the shards of the stream's durable readers: who reads each, how far, and what is in its way."`
	Pause  readerPauseCmd  `cmd:"" help:"Let nobody read a reader's shards until they are resumed. Nothing is lost within the stream's retention."`
	Resume readerResumeCmd `cmd:"" help:"Let them be read on."`
	Seek   readerSeekCmd   `cmd:"" help:"Send a reader back: it reads again what has arrived since a time."`
	Park   readerParkCmd   `cmd:"" help:"Set the record aside at which a shard stands, for somebody to look at, and go on behind it."`
	Skip   readerSkipCmd   `cmd:"" help:"Set aside the record that a shard stands at, as done with. Where it stands at none: the records that were parked before are done with."`
}

// readers has what every subcommand of reader needs.
type readers struct{ operating }

// with calls use with a tool on the running demo, or on what the flags name.
func (c readers) with(ctx context.Context, use func(*reader.Tool) error) error {
	url, where, err := c.site()
	if err != nil {
		return err
	}

	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	tool, done, err := reader.Open(ctx, url, where, log)
	if err != nil {
		return err
	}
	defer done()

	err = use(tool)
	var p *problem.Error
	if errors.As(err, &p) && p.Detail != "" {
		return errors.New(p.Detail) // a sentence for people
	}
	return err
}

// do does an act and prints its row.
func (c readers) do(ctx context.Context, act, group string, ask reader.Ask, a acting, why string) error {
	return c.with(ctx, func(t *reader.Tool) error { return printAct(c.JSON)(t.Do(ctx, act, group, ask, a.by(why))) })
}

type readerListCmd struct {
	readers
	Group string `arg:"" optional:"" help:"The reader, such as history (default: all)."`
}

func (c readerListCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(t *reader.Tool) error {
		shards, err := t.List(ctx, c.Group)
		if err != nil {
			return err
		}
		if c.JSON {
			enc := json.NewEncoder(os.Stdout)
			enc.SetIndent("", "  ")
			return enc.Encode(shards)
		}
		return reader.Print(os.Stdout, shards, time.Now())
	})
}

// readerArgs name a reader's shards.
type readerArgs struct {
	Group  string   `arg:"" help:"The reader, such as history."`
	Shards []string `arg:"" optional:"" name:"shard" help:"Its shards, as list prints them (default: all)."`
	Why    string   `help:"Why, for the table of acts."`
}

type readerActCmd struct {
	readers
	acting
	readerArgs
}

type (
	readerPauseCmd  struct{ readerActCmd }
	readerResumeCmd struct{ readerActCmd }
)

func (c readerPauseCmd) Run(ctx context.Context) error {
	return c.do(ctx, reader.Pause, c.Group, reader.Ask{Shards: c.Shards}, c.acting, c.Why)
}

func (c readerResumeCmd) Run(ctx context.Context) error {
	return c.do(ctx, reader.Resume, c.Group, reader.Ask{Shards: c.Shards}, c.acting, c.Why)
}

type readerSeekCmd struct {
	readers
	acting
	readerArgs
	To string `required:"" help:"A time such as 2026-11-28T10:00:00Z, or how long ago, such as 15m."`
}

func (c readerSeekCmd) Run(ctx context.Context) error {
	to, err := time.Parse(time.RFC3339, c.To)
	if ago, derr := time.ParseDuration(c.To); derr == nil && ago > 0 {
		to, err = time.Now().Add(-ago), nil
	}
	if err != nil {
		return fmt.Errorf("--to is %q: it is a time such as 2026-11-28T10:00:00Z, or how long ago, such as 15m", c.To)
	}
	return c.do(ctx, reader.Seek, c.Group, reader.Ask{Shards: c.Shards, To: to}, c.acting, c.Why)
}

// readerOne names the shard that stands at a record.
type readerOne struct {
	readers
	acting
	Group  string `arg:"" help:"The reader, such as history."`
	Shard  string `arg:"" help:"The shard that stands at the record, as list prints it."`
	Record string `help:"The record, as list prints it: nothing is done where the shard stands at another one. Of skip also: parked (default: the one that it stands at)."`
	Why    string `required:"" help:"Why the record is not applied, in 3 to 500 characters, for the table of acts."`
}

type (
	readerParkCmd struct{ readerOne }
	readerSkipCmd struct{ readerOne }
)

func (c readerParkCmd) Run(ctx context.Context) error {
	return c.do(ctx, reader.Park, c.Group, reader.Ask{Shards: []string{c.Shard}, Record: c.Record}, c.acting, c.Why)
}

func (c readerSkipCmd) Run(ctx context.Context) error {
	return c.do(ctx, reader.Skip, c.Group, reader.Ask{Shards: []string{c.Shard}, Record: c.Record}, c.acting, c.Why)
}
