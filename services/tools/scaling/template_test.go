package scaling

import (
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"tandem/services/domain/profile"
	"tandem/services/internal/queue/autoscale"
)

const template = "../../../deploy/autoscale.yaml"

// On ECS the workers are held to the demo's policy.
func TestTheTemplateHasTheDemosPolicy(t *testing.T) {
	text, err := os.ReadFile(template)
	require.NoError(t, err)
	var read struct {
		Parameters map[string]struct {
			Default string `yaml:"Default"`
		} `yaml:"Parameters"`
	}
	require.NoError(t, yaml.Unmarshal(text, &read))

	p := profile.Default().Workers
	for name, want := range map[string]int{
		"MinWorkers": p.Min, "MaxWorkers": p.Max, "WorkerHolds": p.Holds,
		"LatencySeconds": int(p.Latency.Seconds()), "HandlingSeconds": int(p.Handling.Seconds()),
	} {
		require.Equal(t, strconv.Itoa(want), read.Parameters[name].Default, name)
	}
	require.Contains(t, string(text), "${WorkerHolds} * "+strconv.FormatFloat(autoscale.BusyShare, 'g', -1, 64)+")")
}

func TestCloudFormationAcceptsTheTemplate(t *testing.T) {
	lint, err := exec.LookPath("cfn-lint")
	if err != nil {
		t.Skip("NOT TESTED: there is no cfn-lint (pip install cfn-lint)")
	}
	out, err := exec.CommandContext(t.Context(), lint, template).CombinedOutput()
	require.NoError(t, err, "%s", out)
}
