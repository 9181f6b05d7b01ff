package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"tandem/services/tools/replay"
)

type replayCmd struct {
	Heatmap replayHeatmapCmd `cmd:"" help:"Count what arrived in a span again, as a new generation, and swap it in for the rows that lie wholly inside. Refuses as history does."`
	History replayHistoryCmd `cmd:"" help:"Replace history's points that arrived in a span by what the stream has. The reader goes on meanwhile; a span that the stream does not keep wholly, or that the reader has not passed, is refused."`
}

// replaying are the flags of what is read again, and where.
type replaying struct {
	running
	messaging
	DatabaseURL string `help:"Postgres that has the reader's rows (default: the running demo's)."`
	From        moment `required:"" placeholder:"TIME" help:"First arrival on the stream that is replayed: a time such as 2026-11-28T10:00:00Z, or how long ago, such as 15m."`
	To          moment `required:"" placeholder:"TIME" help:"What arrived at this time or later is not replayed: a time, or how long ago."`
	DryRun      bool   `help:"Compare, and change nothing."`
}

// Validate replaces messaging's: a running demo's run file says where its AWS is.
func (r replaying) Validate() error {
	if r.DatabaseURL == "" {
		return nil
	}
	return r.messaging.Validate()
}

func (r replaying) config() (replay.Config, error) {
	cfg := replay.Config{
		DatabaseURL: r.DatabaseURL, AWS: r.aws(), DryRun: r.DryRun, Out: os.Stdout,
		Span: replay.Span{From: r.From.Time, To: r.To.Time},
	}
	if cfg.DatabaseURL == "" {
		run, err := r.find()
		if err != nil {
			return cfg, err
		}
		cfg.DatabaseURL, cfg.AWS = run.DatabaseURL, awsOf(run)
	}
	return cfg, nil
}

// moment is a time, or one so long ago.
type moment struct{ time.Time }

// UnmarshalText is called by kong.
func (m *moment) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	if ago, err := time.ParseDuration(s); err == nil && ago >= 0 {
		m.Time = time.Now().Add(-ago)
		return nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return fmt.Errorf("%q is neither a time such as 2026-11-28T10:00:00Z nor how long ago, such as 15m", s)
	}
	m.Time = t
	return nil
}

type replayHistoryCmd struct{ replaying }

func (c replayHistoryCmd) Run(ctx context.Context) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	_, err = replay.History(ctx, cfg)
	return err
}

type replayHeatmapCmd struct{ replaying }

func (c replayHeatmapCmd) Run(ctx context.Context) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	_, err = replay.Heatmap(ctx, cfg)
	return err
}
