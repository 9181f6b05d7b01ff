package messaging

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"tandem/localstack"
	"tandem/services/domain/profile"
	"tandem/services/internal/awsclient"
)

// DefaultStack is the stack's name where none is given.
const DefaultStack = "tandem"

// Config says what to deploy, and where.
type Config struct {
	AWS     awsclient.Config
	Backend string // profile.LocalStack or profile.AWS
	Stack   string // its name; empty: DefaultStack
	// Parameters of the template by name. Those left out keep the stack's value;
	// a new stack takes the template's default.
	Parameters map[string]string

	Template  []byte        // nil: localstack.Messaging
	PollEvery time.Duration // 0: 1 s
	Within    time.Duration // how long CloudFormation may take; 0: 15 min
	GoneIn    time.Duration // how long what was deleted may still be listed; 0: 90 s
}

// Errors of Deploy, Status and Delete, beside those of AWS.
var (
	ErrFailed  = errors.New("it was not deployed")
	ErrNoStack = errors.New("there is no such stack")
	ErrShards  = errors.New("the stream does not have the shards that the stack says")
	ErrLeft    = errors.New("something is left")
)

// tool is one run of one command.
type tool struct {
	cfg      Config
	region   string
	out      io.Writer
	template template
	cfn      *cloudformation.Client
	kinesis  *kinesis.Client
	sqs      *sqs.Client
	sns      *sns.Client
	alarms   *cloudwatch.Client
	printed  map[string]bool // events, by id
	failures []string        // why something failed, of the events so far
}

func newTool(ctx context.Context, out io.Writer, cfg Config) (*tool, error) {
	if cfg.Backend != profile.LocalStack && cfg.Backend != profile.AWS {
		return nil, fmt.Errorf("messaging: CloudFormation runs on localstack and aws, not on %q; the emulator reads messaging.yaml by itself", cfg.Backend)
	}
	if cfg.Template == nil {
		cfg.Template = localstack.Messaging
	}
	cfg.Stack = cmp.Or(cfg.Stack, DefaultStack)
	cfg.PollEvery = cmp.Or(cfg.PollEvery, time.Second)
	cfg.Within = cmp.Or(cfg.Within, 15*time.Minute)
	cfg.GoneIn = cmp.Or(cfg.GoneIn, 90*time.Second)

	// A parameter that does not exist is refused before anything is asked of AWS.
	parsed, err := readTemplate(cfg.Template)
	if err != nil {
		return nil, err
	}
	if err := parsed.check(cfg.Parameters); err != nil {
		return nil, err
	}

	aws, err := awsclient.New(ctx, cfg.AWS)
	if err != nil {
		return nil, err
	}
	return &tool{
		cfg: cfg, region: aws.Region, out: out, template: parsed, printed: map[string]bool{},
		cfn: cloudformation.NewFromConfig(aws), kinesis: kinesis.NewFromConfig(aws), sqs: sqs.NewFromConfig(aws),
		sns: sns.NewFromConfig(aws), alarms: cloudwatch.NewFromConfig(aws),
	}, nil
}

// say prints one line; an error of the terminal is no reason to stop half-way.
func (t *tool) say(format string, args ...any) {
	_, _ = fmt.Fprintf(t.out, format+"\n", args...)
}

func (t *tool) pause(ctx context.Context) error {
	timer := time.NewTimer(t.cfg.PollEvery)
	defer timer.Stop()

	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
