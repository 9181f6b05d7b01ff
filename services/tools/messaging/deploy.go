package messaging

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// Deploy creates the stack, or brings it up to the template and the given
// parameters, and returns once it rests. Nothing to change is no error. It
// prints to out what happens.
func Deploy(ctx context.Context, out io.Writer, cfg Config) error {
	t, err := newTool(ctx, out, cfg)
	if err != nil {
		return err
	}

	stack, exists, err := t.settled(ctx)
	if err != nil {
		return err
	}
	if exists && !updatable(stack.StackStatus) {
		return fmt.Errorf("messaging: the stack %s is %s: %w: %s%s", t.cfg.Stack, stack.StackStatus, ErrFailed, advice(stack.StackStatus), strings.Join(t.failures, ""))
	}

	t.failures = nil // those of an earlier change are not this one's
	if stack, err = t.change(ctx, stack, exists); err != nil {
		return err
	}
	if !succeeded(stack.StackStatus) {
		return fmt.Errorf("messaging: the stack %s is %s: %w: %s%s", t.cfg.Stack, stack.StackStatus, ErrFailed, advice(stack.StackStatus), strings.Join(t.failures, ""))
	}

	// The stack's status is not believed alone: see doc.go, LocalStack.
	if err := t.setRetention(ctx, values(stack)); err != nil {
		return err
	}
	if err := t.checkShards(ctx, values(stack)); err != nil {
		return err
	}

	t.say("The stack %s is %s in %s.", t.cfg.Stack, stack.StackStatus, t.region)
	return nil
}

// change creates or updates the stack and follows that to its end.
func (t *tool) change(ctx context.Context, stack types.Stack, exists bool) (types.Stack, error) {
	body := string(t.cfg.Template)
	if !exists {
		t.say("Creating the stack %s in %s.", t.cfg.Stack, t.region)
		created, err := t.cfn.CreateStack(ctx, &cloudformation.CreateStackInput{
			StackName: &t.cfg.Stack, TemplateBody: &body, Parameters: t.parameters(nil),
		})
		if err != nil {
			return stack, fmt.Errorf("messaging: %w", err)
		}
		return t.follow(ctx, aws.ToString(created.StackId))
	}

	t.say("Updating the stack %s in %s.", t.cfg.Stack, t.region)
	_, err := t.cfn.UpdateStack(ctx, &cloudformation.UpdateStackInput{
		StackName: &t.cfg.Stack, TemplateBody: &body, Parameters: t.parameters(values(stack)),
	})

	switch {
	case says(err, "No updates are to be performed"):
		t.say("  Nothing has changed.")
		return stack, nil
	case err != nil:
		return stack, fmt.Errorf("messaging: %w", err)
	}
	return t.follow(ctx, aws.ToString(stack.StackId))
}

// parameters returns those that are given, and the stack's own for the others: a
// deploy without flags never takes back what an earlier one set.
func (t *tool) parameters(had map[string]string) (out []types.Parameter) {
	for _, name := range t.template.parameters {
		p := types.Parameter{ParameterKey: aws.String(name)}
		if v, ok := t.cfg.Parameters[name]; ok {
			p.ParameterValue = &v
		} else if _, ok := had[name]; ok {
			p.UsePreviousValue = aws.Bool(true)
		} else {
			continue // a new stack takes the template's default
		}
		out = append(out, p)
	}
	return out
}

func succeeded(s types.StackStatus) bool {
	return slices.Contains([]types.StackStatus{types.StackStatusCreateComplete, types.StackStatusUpdateComplete}, s)
}

// updatable reports whether UpdateStack takes a stack on which nobody works.
func updatable(s types.StackStatus) bool {
	return succeeded(s) || s == types.StackStatusUpdateRollbackComplete || s == types.StackStatusUpdateFailed
}

// advice returns what a person can do about a stack that has failed.
func advice(s types.StackStatus) string {
	switch s {
	case types.StackStatusRollbackComplete, types.StackStatusRollbackFailed, types.StackStatusCreateFailed:
		return "its creation failed, and CloudFormation can only delete such a stack: see to the reason, then tandem messaging delete, then deploy again."
	case types.StackStatusUpdateRollbackComplete:
		return "the update failed and was taken back: see to the reason and deploy again."
	case types.StackStatusUpdateRollbackFailed:
		return "an update failed and could not be taken back: aws cloudformation continue-update-rollback, or tandem messaging delete."
	case types.StackStatusDeleteFailed:
		return "it could not be deleted: see to the reason, then tandem messaging delete."
	case types.StackStatusReviewInProgress:
		return "somebody made a change set for it and never executed it: tandem messaging delete, then deploy again."
	}
	return "look at it in CloudFormation's console."
}
