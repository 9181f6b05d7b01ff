package iam

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// call is one action on one resource, as IAM sees it.
type call struct{ action, resource string }

func (c call) String() string { return c.action + " on " + c.resource }

// policy is one file of deploy/iam.
type policy struct{ Statement []statement }

type statement struct {
	Sid, Effect      string
	Action, Resource list
}

// list is a string or a list of strings.
type list []string

func (l *list) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*l = list{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(l))
}

func readPolicy(t *testing.T, name string) policy {
	t.Helper()
	b, err := os.ReadFile("../../../deploy/iam/" + name + ".json")
	require.NoError(t, err)

	var p policy
	require.NoError(t, json.Unmarshal(b, &p))
	require.NotEmpty(t, p.Statement)
	for _, s := range p.Statement {
		require.NotEmpty(t, s.Action, s.Sid)
		for _, a := range s.Action {
			require.NotContains(t, a, "*", "an action is named")
		}
	}
	return p
}

// matches is IAM's * in an ARN.
func matches(pattern, resource string) bool {
	re := "^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$"
	return regexp.MustCompile(re).MatchString(resource)
}

func (s statement) covers(c call) bool {
	return slices.Contains(s.Action, c.action) && slices.ContainsFunc(s.Resource, func(r string) bool { return matches(r, c.resource) })
}

// allows is IAM's rule: some statement allows it, none denies it.
func (p policy) allows(c call) bool {
	allowed := false
	for _, s := range p.Statement {
		if s.covers(c) {
			if s.Effect == "Deny" {
				return false
			}
			allowed = true
		}
	}
	return allowed
}

// unused returns what is allowed and was not called.
func (p policy) unused(calls []call) (out []string) {
	for _, s := range p.Statement {
		for _, action := range s.Action {
			for _, resource := range s.Resource {
				one := statement{Action: list{action}, Resource: list{resource}}
				if s.Effect == "Allow" && !slices.ContainsFunc(calls, one.covers) {
					out = append(out, fmt.Sprintf("%s on %s", action, resource))
				}
			}
		}
	}
	return out
}

func TestPolicies(t *testing.T) {
	p := readPolicy(t, "notification")
	for c, want := range map[call]bool{
		{"sqs:ReceiveMessage", "arn:aws:sqs:eu-west-1:123456789012:notifications.fifo"}:     true,
		{"sqs:ReceiveMessage", "arn:aws:sqs:eu-west-1:123456789012:notifications-dlq.fifo"}: false,
		{"sqs:SendMessage", "arn:aws:sqs:eu-west-1:123456789012:notifications.fifo"}:        false,
		{"sqs:PurgeQueue", "arn:aws:sqs:eu-west-1:123456789012:notifications.fifo"}:         false,
		{"sns:Publish", "+59899123456"}:                                     true,
		{"sns:Publish", "arn:aws:sns:eu-west-1:123456789012:tandem-alarms"}: false,
	} {
		require.Equal(t, want, p.allows(c), c)
	}
	require.Len(t, p.unused(nil), 8)
	require.Len(t, p.unused([]call{{"sns:Publish", "+1"}}), 7)
}

// The policies of people who run tools are not covered by the services' test, so
// here every policy is at least read, and its size is checked.
func TestEveryPolicyIsReadable(t *testing.T) {
	files, err := os.ReadDir("../../../deploy/iam")
	require.NoError(t, err)
	for _, f := range files {
		if name, ok := strings.CutSuffix(f.Name(), ".json"); ok {
			readPolicy(t, name)
			info, err := f.Info()
			require.NoError(t, err)
			require.Less(t, info.Size(), int64(6144), "a managed policy has 6,144 characters at most")
		}
	}
}
