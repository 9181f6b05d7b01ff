package messaging_test

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/services/tools/messaging"
)

// What the tool itself calls is what deploy/iam/deploy.json allows, beside
// what CloudFormation does in its name.
func TestPolicyOfWhoDeploys(t *testing.T) {
	b, err := os.ReadFile("../../../deploy/iam/deploy.json")
	require.NoError(t, err)
	var policy struct {
		Statement []struct {
			Sid    string
			Action []string
		}
	}
	require.NoError(t, json.Unmarshal(b, &policy))
	var allowed []string
	for _, s := range policy.Statement {
		if !strings.HasPrefix(s.Sid, "ByCloudFormation") {
			allowed = append(allowed, s.Action...)
		}
	}

	f, out := newFake(t), &bytes.Buffer{}
	cfg := f.config()
	for _, hours := range []string{"24", "48", "30"} { // create; update, more; update, fewer
		cfg.Parameters = map[string]string{"StreamRetentionHours": hours}
		require.NoError(t, messaging.Deploy(t.Context(), out, cfg))
	}
	f.streams = []string{"driver-locations"} // so that its consumers are listed
	require.NoError(t, messaging.Status(t.Context(), out, cfg))
	require.NoError(t, messaging.Delete(t.Context(), out, cfg))

	called := slices.Clone(f.calls)
	slices.Sort(called)
	slices.Sort(allowed)
	require.Equal(t, allowed, slices.Compact(called))
}
