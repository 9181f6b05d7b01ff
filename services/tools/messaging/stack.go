package messaging

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"
)

// describe returns the stack of that name or id; false where none exists. A
// deleted stack is found by its id alone.
func (t *tool) describe(ctx context.Context, stack string) (types.Stack, bool, error) {
	out, err := t.cfn.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &stack})
	switch {
	case says(err, "does not exist"):
		return types.Stack{}, false, nil
	case err != nil:
		return types.Stack{}, false, fmt.Errorf("messaging: %w", err)
	case len(out.Stacks) == 0:
		return types.Stack{}, false, nil
	}
	return out.Stacks[0], true, nil
}

// says reports whether CloudFormation refused with that text: it has one code,
// ValidationError, for everything that it does not like.
func says(err error, text string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "ValidationError" && strings.Contains(api.ErrorMessage(), text)
}

// busy reports whether CloudFormation works on the stack. A stack in review has a
// change set that nobody has executed, and stays so.
func busy(s types.StackStatus) bool {
	return strings.HasSuffix(string(s), "_IN_PROGRESS") && s != types.StackStatusReviewInProgress
}

// settled returns the stack once nobody works on it.
func (t *tool) settled(ctx context.Context) (types.Stack, bool, error) {
	stack, ok, err := t.describe(ctx, t.cfg.Stack)
	if err != nil || !ok {
		return stack, ok, err
	}

	if busy(stack.StackStatus) {
		t.say("The stack %s is %s already; waiting for that to end.", t.cfg.Stack, stack.StackStatus)
		if stack, err = t.follow(ctx, aws.ToString(stack.StackId)); err != nil {
			return stack, false, err
		}
		return stack, stack.StackStatus != types.StackStatusDeleteComplete, nil
	}

	_, err = t.events(ctx, aws.ToString(stack.StackId)) // those of earlier changes are not printed again
	return stack, true, err
}

// follow prints what happens to the stack until it rests.
func (t *tool) follow(ctx context.Context, id string) (types.Stack, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, t.cfg.Within, fmt.Errorf("messaging: CloudFormation takes longer than %v; it goes on by itself: tandem messaging status", t.cfg.Within))
	defer cancel()

	for {
		// The status is asked for before the events: those that led to it are among
		// them then.
		stack, ok, err := t.describe(ctx, id)
		if err != nil {
			return stack, err
		}
		if !ok {
			return stack, fmt.Errorf("messaging: %w: %s vanished", ErrNoStack, t.cfg.Stack)
		}

		events, err := t.events(ctx, id)
		if err != nil {
			return stack, err
		}
		for _, e := range events {
			t.tell(e)
		}

		if !busy(stack.StackStatus) {
			return stack, nil
		}
		if err := t.pause(ctx); err != nil {
			return stack, err
		}
	}
}

// events returns the stack's events since the last call, the oldest first.
func (t *tool) events(ctx context.Context, id string) (fresh []types.StackEvent, err error) {
	pages := cloudformation.NewDescribeStackEventsPaginator(t.cfn, &cloudformation.DescribeStackEventsInput{StackName: &id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("messaging: %w", err)
		}
		for _, e := range page.StackEvents {
			if t.printed[aws.ToString(e.EventId)] { // and all that are older
				slices.Reverse(fresh)
				t.note(fresh)
				return fresh, nil
			}
			fresh = append(fresh, e)
		}
	}
	slices.Reverse(fresh)
	t.note(fresh)
	return fresh, nil
}

// note remembers events, and why anything failed, without what was only
// cancelled because another had failed.
func (t *tool) note(events []types.StackEvent) {
	for _, e := range events {
		t.printed[aws.ToString(e.EventId)] = true
		reason := aws.ToString(e.ResourceStatusReason)
		if strings.HasSuffix(string(e.ResourceStatus), "_FAILED") && reason != "" && !strings.Contains(reason, "cancelled") {
			t.failures = append(t.failures, fmt.Sprintf("\n  %s (%s): %s", aws.ToString(e.LogicalResourceId), aws.ToString(e.ResourceType), reason))
		}
	}
}

func (t *tool) tell(e types.StackEvent) {
	status := string(e.ResourceStatus)
	if strings.HasSuffix(status, "_IN_PROGRESS") && aws.ToString(e.ResourceType) != "AWS::CloudFormation::Stack" {
		return
	}

	reason := ""
	if e.ResourceStatusReason != nil {
		reason = ": " + *e.ResourceStatusReason
	}
	t.say("  %s  %-24s %-30s %s%s", aws.ToTime(e.Timestamp).UTC().Format(time.TimeOnly), status, aws.ToString(e.ResourceType), aws.ToString(e.LogicalResourceId), reason)
}

// values returns the stack's parameters.
func values(s types.Stack) map[string]string {
	out := map[string]string{}
	for _, p := range s.Parameters {
		out[aws.ToString(p.ParameterKey)] = aws.ToString(p.ParameterValue)
	}
	return out
}
