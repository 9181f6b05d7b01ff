package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"tandem/localstack"
	"tandem/services/domain/profile"
	tool "tandem/services/tools/messaging"
)

type messagingCmd struct {
	Deploy deployCmd `cmd:"" help:"Create or update the stack."`
	Status statusCmd `cmd:"" help:"Print the stack's state."`
	Delete deleteCmd `cmd:"" help:"Delete the stack and list what is left. The contents of the queues and the stream are lost."`
}

// stackFlags name a stack and the AWS that it is on.
type stackFlags struct {
	Backend     string `default:"localstack" enum:"localstack,aws" help:"localstack or aws. The emulator reads messaging.yaml by itself."`
	AWSEndpoint string `name:"aws-endpoint" help:"Base URL of LocalStack; AWS needs none."`
	AWSRegion   string `name:"aws-region" help:"AWS region; empty is the SDK's default."`
	Stack       string `default:"tandem" help:"The stack's name."`
}

func (f stackFlags) where() messaging {
	return messaging{Backend: f.Backend, AWSEndpoint: f.AWSEndpoint, AWSRegion: f.AWSRegion}
}

// Validate is called by kong before the command runs.
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

// deployMissing makes sure that the demo's queues and stream exist. On LocalStack,
// which costs nothing, it deploys them; on AWS a person has to. A stack that
// exists is not changed.
func deployMissing(ctx context.Context, m messaging) error {
	cfg := tool.Config{AWS: m.aws(), Backend: m.Backend}
	if m.Backend == profile.LocalStack {
		cfg.Template = withoutAlarms(localstack.Messaging)
	}

	err := tool.Status(ctx, io.Discard, cfg)
	if m.Backend == profile.LocalStack && errors.Is(err, tool.ErrNoStack) {
		err = tool.Deploy(ctx, io.Discard, cfg)
	}

	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("no LocalStack answers at %s: start one, or name another with AWS_ENDPOINT=http://host:port (%w)", m.AWSEndpoint, err)
	}
	return err
}

// withoutAlarms leaves out the alarms: a LocalStack that somebody runs may not
// have CloudWatch among its SERVICES, and nobody waits for its alarms. In the
// template each alarm is a resource indented by two spaces, and its type follows
// on the line after its name.
func withoutAlarms(template []byte) []byte {
	lines := bytes.SplitAfter(template, []byte("\n"))

	var out []byte
	skip := false
	for i, line := range lines {
		indent := len(line) - len(bytes.TrimLeft(line, " "))

		// A line indented by at most two spaces begins the next resource or section.
		if len(bytes.TrimSpace(line)) > 0 && indent <= 2 {
			skip = i+1 < len(lines) && bytes.Contains(lines[i+1], []byte("AWS::CloudWatch::Alarm"))
		}

		if !skip {
			out = append(out, line...)
		}
	}
	return out
}
