package compose

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"tandem/localstack"
)

// TestDefaultsAreTheTemplates: the parameters of messaging.yaml have a default there,
// in the script that deploys it, in docker-compose.yml and in .env.example.
func TestDefaultsAreTheTemplates(t *testing.T) {
	var template struct {
		Parameters map[string]struct {
			Default string `yaml:"Default"`
		} `yaml:"Parameters"`
	}
	require.NoError(t, yaml.Unmarshal(localstack.Messaging, &template))
	want := map[string]string{}
	for name, p := range template.Parameters {
		want[strings.ToLower(name)] = p.Default
	}

	setting := regexp.MustCompile(`TANDEM_([A-Z_]+)(?::-|=)(\d+)`)
	for _, file := range []string{"docker-compose.yml", ".env.example", "localstack/ready.d/10-messaging.sh"} {
		text, err := os.ReadFile(filepath.Join("../../..", file))
		require.NoError(t, err)

		found := 0
		for _, m := range setting.FindAllStringSubmatch(string(text), -1) {
			if value, ok := want[strings.ToLower(strings.ReplaceAll(m[1], "_", ""))]; ok {
				require.Equal(t, value, m[2], "%s: TANDEM_%s", file, m[1])
				found++
			}
		}
		require.GreaterOrEqual(t, found, 4, "%s: the parameters were found", file)
	}
}
