package main

import (
	"context"
	"fmt"
	"time"

	"tandem/emulator"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
)

// emulatorCmd's defaults are those of emulator.Default; a test compares them.
type emulatorCmd struct {
	serving
	EmulatorData   string            `type:"path" help:"Folder for journals and segments; if empty, everything is kept in memory."`
	Fsync          bool              `help:"Sync to disk before acknowledging: what is acknowledged then survives a power cut, not only kill -9. It is slower."`
	Limits         bool              `default:"true" negatable:"" help:"Keep AWS's throughput limits, such as 1 MB/s and 1,000 records/s into a shard."`
	Reorder        float64           `default:"0.02" help:"How often (0 to 1) a standard queue returns another message than its oldest."`
	Duplicate      float64           `default:"0.0005" help:"How often (0 to 1) a standard queue returns a message again that was deleted."`
	Seed           uint64            `default:"1" help:"The same seed reorders and duplicates in the same way."`
	StreamBytesCap int64             `default:"2147483648" placeholder:"BYTES" help:"The most that all streams together keep on disk, whatever their retention (default: 2 GiB; 0: no bound)."`
	IteratorLife   time.Duration     `default:"5m" help:"How long a shard iterator is valid; a short life shows whether a reader handles ExpiredIteratorException."`
	Faults         bool              `help:"Let /_aws/faults cause failures on purpose."`
	Set            map[string]string `mapsep:"," placeholder:"NAME=VALUE" help:"A parameter of messaging.yaml, such as Shards=8."`
}

func (c emulatorCmd) config() emulator.Config {
	cfg := emulator.Default() // for the fields that have no flag
	cfg.DataDir, cfg.Fsync, cfg.Limits = c.EmulatorData, c.Fsync, c.Limits
	cfg.Reorder, cfg.Duplicate, cfg.Seed = c.Reorder, c.Duplicate, c.Seed
	cfg.StreamBytesCap, cfg.IteratorLife = c.StreamBytesCap, c.IteratorLife
	cfg.Faults, cfg.Parameters = c.Faults, c.Set
	cfg.MaxConnections = c.MaxConnections
	return cfg
}

// guarded returns the configuration with the check of a request's Host, which is
// the services'.
func (c emulatorCmd) guarded() (emulator.Config, error) {
	hosts, err := httpserver.NewHosts(c.AllowHost)
	cfg := c.config()
	cfg.KnownHost = hosts.Known
	return cfg, err
}

// Help returns the text that kong prints below the one-line help.
func (emulatorCmd) Help() string {
	return `It was tried with AWS's SDKs for Go, Python, JavaScript (v3) and Java (v2), and with the AWS CLI v1; docs/backends.md has the versions. Its log begins with the environment variables that point them to it. For sqs, the AWS CLI v1 needs --endpoint-url too: it ignores AWS_ENDPOINT_URL there and calls AWS. The queues and the stream of messaging.yaml exist from the start; others can be created.`
}

func (c emulatorCmd) Run(ctx context.Context) error {
	cfg, err := c.guarded()
	if err != nil {
		return err
	}

	return c.serve(ctx, "emulator", func(ctx context.Context, env lifecycle.Env) error {
		env.Log.Info(fmt.Sprintf("for an SDK: export AWS_ENDPOINT_URL=http://%s AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test", env.Listener.Addr()))
		return emulator.Run(ctx, env.Listener, env.Log, cfg)
	})
}
