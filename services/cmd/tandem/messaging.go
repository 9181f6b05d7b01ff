package main

import (
	"context"
	"os"

	tool "tandem/services/tools/messaging"
)

type messagingCmd struct {
	Deploy deployCmd `cmd:"" help:"Make or update the stack."`
	Status statusCmd `cmd:"" help:"How the stack stands."`
	Delete deleteCmd `cmd:"" help:"Delete the stack and list what is left. What is in the queues and the stream is lost."`
}

// stackFlags say which stack, where.
type stackFlags struct {
	Backend     string `default:"localstack" enum:"localstack,aws" help:"localstack or aws. The emulator reads messaging.yaml by itself."`
	AWSEndpoint string `name:"aws-endpoint" help:"Base URL of LocalStack; AWS needs none."`
	AWSRegion   string `name:"aws-region" help:"AWS region; empty is the SDK's default."`
	Stack       string `default:"tandem" help:"The stack's name."`
}

func (f stackFlags) where() messaging {
	return messaging{Backend: f.Backend, AWSEndpoint: f.AWSEndpoint, AWSRegion: f.AWSRegion}
}

// Validate is kong's.
func (f stackFlags) Validate() error { return f.where().Validate() }

func (f stackFlags) config() tool.Config {
	return tool.Config{AWS: f.where().aws(), Backend: f.Backend, Stack: f.Stack}
}

type deployCmd struct {
	stackFlags
	Set map[string]string `mapsep:"," placeholder:"NAME=VALUE" help:"A parameter of messaging.yaml, such as Shards=8; others keep the stack's values."`
}

func (c deployCmd) Run(ctx context.Context) error {
	cfg := c.config()
	cfg.Parameters = c.Set
	return tool.Deploy(ctx, os.Stdout, cfg)
}

type statusCmd struct{ stackFlags }

func (c statusCmd) Run(ctx context.Context) error { return tool.Status(ctx, os.Stdout, c.config()) }

type deleteCmd struct{ stackFlags }

func (c deleteCmd) Run(ctx context.Context) error { return tool.Delete(ctx, os.Stdout, c.config()) }
