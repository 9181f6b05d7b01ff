package messaging

import (
	"context"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Status prints the stack's status, parameters and outputs, and the template's
// names that exist. The error is ErrNoStack without a stack, ErrFailed for one
// that is neither complete nor being worked on.
func Status(ctx context.Context, out io.Writer, cfg Config) error {
	t, err := newTool(ctx, out, cfg)
	if err != nil {
		return err
	}

	stack, exists, err := t.describe(ctx, t.cfg.Stack)
	if err != nil {
		return err
	}
	if exists {
		t.say("The stack %s is %s in %s.", t.cfg.Stack, stack.StackStatus, t.region)
		for _, p := range stack.Parameters {
			t.say("  %s = %s", aws.ToString(p.ParameterKey), aws.ToString(p.ParameterValue))
		}
		for _, o := range stack.Outputs {
			t.say("  %s: %s", aws.ToString(o.OutputKey), aws.ToString(o.OutputValue))
		}
	}

	has, err := t.list(ctx)
	if err != nil {
		return err
	}
	for _, l := range has {
		t.say("  %s", l)
	}

	switch {
	case !exists:
		return fmt.Errorf("messaging: %w: %s in %s; tandem messaging deploy --backend=%s creates it", ErrNoStack, t.cfg.Stack, t.region, t.cfg.Backend)
	case !succeeded(stack.StackStatus) && !updatable(stack.StackStatus) && !busy(stack.StackStatus):
		return fmt.Errorf("messaging: the stack %s is %s: %w: %s", t.cfg.Stack, stack.StackStatus, ErrFailed, advice(stack.StackStatus))
	case succeeded(stack.StackStatus):
		return t.checkShards(ctx, values(stack))
	}
	return nil
}
