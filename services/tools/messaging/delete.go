package messaging

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// Delete deletes the stack with all that is in its queues and stream, and lists
// what there still is of the template's names. It prints the listing to out;
// the error is ErrLeft where something is left. No stack is no error.
func Delete(ctx context.Context, out io.Writer, cfg Config) error {
	t, err := newTool(ctx, out, cfg)
	if err != nil {
		return err
	}

	stack, err := t.remove(ctx)
	if err != nil {
		return err
	}
	left, err := t.gone(ctx)
	if err != nil {
		return err
	}

	t.say("Listed in %s:", t.region)
	for _, l := range left {
		t.say("  %s", l)
	}
	t.say("  %s", stack)

	// What is left can cost money: the listing decides, not the stack's status.
	if left.any() {
		return fmt.Errorf("messaging: %w in %s: %s", ErrLeft, t.region, strings.Join(left.names(), ", "))
	}
	t.say("Nothing is left.")
	return nil
}

// remove deletes the stack and returns a line that tells what became of it.
func (t *tool) remove(ctx context.Context) (string, error) {
	stack, exists, err := t.settled(ctx)
	if err != nil {
		return "", err
	}
	if !exists {
		return fmt.Sprintf("stacks: none named %s", t.cfg.Stack), nil
	}

	t.failures = nil // those of an earlier change are not this one's
	id := aws.ToString(stack.StackId)
	t.say("Deleting the stack %s in %s.", t.cfg.Stack, t.region)
	if _, err := t.cfn.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: &id}); err != nil {
		return "", fmt.Errorf("messaging: %w", err)
	}

	stack, err = t.follow(ctx, id)
	if errors.Is(err, ErrNoStack) { // deleted before the first look at it
		return fmt.Sprintf("stacks: none named %s", t.cfg.Stack), nil
	}
	if err != nil {
		return "", err
	}
	if stack.StackStatus != types.StackStatusDeleteComplete {
		return "", fmt.Errorf("messaging: the stack %s is %s: %w: %s%s", t.cfg.Stack, stack.StackStatus, ErrLeft, advice(stack.StackStatus), strings.Join(t.failures, ""))
	}
	return fmt.Sprintf("stacks: %s is %s", t.cfg.Stack, stack.StackStatus), nil
}

// gone lists until nothing is left, for at most GoneIn.
func (t *tool) gone(ctx context.Context) (listing, error) {
	end := time.Now().Add(t.cfg.GoneIn)
	for told := false; ; told = true {
		left, err := t.list(ctx)
		if err != nil || !left.any() || !time.Now().Before(end) {
			return left, err
		}
		if !told {
			t.say("Still listed: %s. SQS may take a minute to forget a queue; looking again.", strings.Join(left.names(), ", "))
		}

		if err := t.pause(ctx); err != nil {
			return left, err
		}
	}
}
