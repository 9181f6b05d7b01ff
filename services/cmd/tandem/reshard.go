package main

import (
	"context"
	"errors"
	"os"
	"time"

	"tandem/services/domain/event"
	"tandem/services/domain/profile"
	tool "tandem/services/tools/reshard"
)

type reshardCmd struct {
	Split splitCmd `cmd:"" help:"Split an open shard in two."`
	Merge mergeCmd `cmd:"" help:"Merge two adjacent open shards into one."`
	Scale scaleCmd `cmd:"" help:"Make the stream have so many shards of equal size."`
}

// resharding are the flags of where the stream is, and of how long to wait.
type resharding struct {
	running
	Backend     string        `default:"" enum:",emulator,localstack,aws" help:"Where the stream is: emulator, localstack or aws (default: the running demo's)."`
	AWSEndpoint string        `name:"aws-endpoint" help:"With --backend: base URL of the emulator or LocalStack; AWS needs none."`
	AWSRegion   string        `name:"aws-region" help:"With --backend: AWS region; empty is the SDK's default."`
	Wait        time.Duration `default:"10m" help:"How long to wait until the stream is ACTIVE."`
}

// Validate is called by kong before the command runs.
func (r resharding) Validate() error {
	switch {
	case r.Wait <= 0:
		return errors.New("--wait must be more than 0")
	case r.Backend == "":
		return nil
	}
	return messaging{Backend: r.Backend, AWSEndpoint: r.AWSEndpoint}.Validate()
}

func (r resharding) tool(ctx context.Context) (tool.Tool, error) {
	where := messaging{Backend: r.Backend, AWSEndpoint: r.AWSEndpoint, AWSRegion: r.AWSRegion}
	if r.Backend == "" {
		run, err := r.find()
		if err != nil {
			return tool.Tool{}, err
		}
		where = messaging{Backend: run.Backend, AWSEndpoint: run.AWSEndpoint, AWSRegion: run.AWSRegion}
	}

	backend, err := profile.BackendByName(where.Backend)
	if err != nil {
		return tool.Tool{}, err
	}
	client, err := tool.NewClient(ctx, where.aws())
	if err != nil {
		return tool.Tool{}, err
	}
	return tool.Tool{Client: client, Stream: event.Stream, Buckets: backend.Buckets, Wait: r.Wait, Every: time.Second, Out: os.Stdout}, nil
}

type splitCmd struct {
	resharding
	Shard string `arg:"" help:"The shard's id, such as shardId-000000000000."`
}

func (c splitCmd) Run(ctx context.Context) error {
	t, err := c.tool(ctx)
	if err != nil {
		return err
	}
	return t.Split(ctx, c.Shard)
}

type mergeCmd struct {
	resharding
	Shard    string `arg:"" help:"A shard's id."`
	Adjacent string `arg:"" help:"The id of a shard whose hash keys begin or end beside it."`
}

func (c mergeCmd) Run(ctx context.Context) error {
	t, err := c.tool(ctx)
	if err != nil {
		return err
	}
	return t.Merge(ctx, c.Shard, c.Adjacent)
}

type scaleCmd struct {
	resharding
	Shards int `arg:"" help:"How many shards: half to double of those that are open."`
}

func (c scaleCmd) Run(ctx context.Context) error {
	t, err := c.tool(ctx)
	if err != nil {
		return err
	}
	return t.Scale(ctx, c.Shards)
}
