package observe

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"tandem/localstack"
)

const root = "../../.."

// alarms are those of messaging.yaml, by name.
func alarms(t *testing.T) map[string]Rule {
	t.Helper()
	var template struct {
		Resources map[string]struct {
			Type       string `yaml:"Type"`
			Properties struct {
				AlarmName        string `yaml:"AlarmName"`
				AlarmDescription string `yaml:"AlarmDescription"`
				Period           int    `yaml:"Period"`
				Evaluations      int    `yaml:"EvaluationPeriods"`
				Threshold        string `yaml:"Threshold"`
			} `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	_ = yaml.Unmarshal(localstack.Messaging, &template) // other resources have other shapes

	out := map[string]Rule{}
	for _, r := range template.Resources {
		if p := r.Properties; r.Type == "AWS::CloudWatch::Alarm" {
			out[p.AlarmName] = Rule{Expr: p.Threshold, For: time.Duration(p.Period*p.Evaluations) * time.Second, Annotations: map[string]string{"summary": p.AlarmDescription}}
		}
	}
	require.NotEmpty(t, out)
	return out
}

// TestRulesAreTheAlarmsOfTheTemplate: a person meets one set of alarms, by name, words,
// limit and patience, wherever Tandem runs.
func TestRulesAreTheAlarmsOfTheTemplate(t *testing.T) {
	t.Parallel()
	want, own := alarms(t), []string{}
	for _, r := range Rules(t, root) {
		alarm, ok := want[r.Alert]
		if !ok {
			own = append(own, r.Alert)
			continue
		}
		require.Equal(t, alarm.For, r.For, r.Alert)
		require.Equal(t, alarm.Annotations["summary"], r.Annotations["summary"], r.Alert)
		require.Contains(t, r.Expr, "> "+alarm.Expr, "%s: the limit", r.Alert)
		delete(want, r.Alert)
	}
	require.Empty(t, slices.Collect(maps.Keys(want)), "alarms without a rule")
	require.Equal(t, []string{"tandem-bucket-hot", "tandem-stream-outgrows-buckets", "tandem-outbox-age", "tandem-outbox-set-aside", "tandem-nobody-measures"}, own, "rules without an alarm")
}

// TestEachAlarmHasAPanel: whoever is woken by an alarm finds its numbers drawn.
func TestEachAlarmHasAPanel(t *testing.T) {
	t.Parallel()
	var drawn []string
	for _, d := range Dashboards(t, root) {
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				drawn = append(drawn, namesIn(target.Expr)...)
			}
		}
	}
	for _, r := range Rules(t, root) {
		for _, name := range namesIn(r.Expr) {
			if name != "up" && !strings.HasSuffix(name, "_count") {
				require.Contains(t, drawn, name, r.Alert)
			}
		}
	}
}

// Grafana shows panels that lie on each other, or that ask a source which is not there,
// without a word.
func TestPanelsFit(t *testing.T) {
	t.Parallel()
	var sources struct{ Datasources []struct{ UID string } }
	raw, err := os.ReadFile(filepath.Join(root, "deploy/observe/grafana/provisioning/datasources/tandem.yaml"))
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(raw, &sources))
	var known []string
	for _, s := range sources.Datasources {
		known = append(known, s.UID)
	}

	for _, d := range Dashboards(t, root) {
		taken, ids := map[[2]int]string{}, map[int]bool{}
		for _, p := range d.Panels {
			require.False(t, ids[p.ID], "%s: two panels %d", d.Title, p.ID)
			ids[p.ID] = true
			require.Contains(t, known, p.Datasource.UID, p.Title)
			require.Contains(t, []string{"timeseries", "stat"}, p.Type)
			require.NotEmpty(t, p.Targets, p.Title)
			require.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24, p.Title)
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
					require.Empty(t, taken[[2]int{x, y}], "%s lies on it", p.Title)
					taken[[2]int{x, y}] = p.Title
				}
			}
		}
	}
}

// TestEveryServiceIsScraped: one that is added to compose has numbers, too.
func TestEveryServiceIsScraped(t *testing.T) {
	t.Parallel()
	compose, err := os.ReadFile(filepath.Join(root, "docker-compose.yml"))
	require.NoError(t, err)
	scraped, err := os.ReadFile(filepath.Join(root, "deploy/observe/prometheus.yml"))
	require.NoError(t, err)

	var file struct {
		Services map[string]struct {
			Environment any      `yaml:"environment"`
			Command     []string `yaml:"command"`
			Profiles    []string `yaml:"profiles"`
		} `yaml:"services"`
	}
	require.NoError(t, yaml.Unmarshal(compose, &file))
	for name, s := range file.Services {
		// A service's command is its name; the gateway's metrics are not for everybody.
		if len(s.Command) != 1 || s.Command[0] != name || name == "gateway" || name == "migrate" {
			continue
		}
		require.True(t, strings.Contains(string(scraped), "- "+name+":8080") || strings.Contains(string(scraped), "names: ["+name+"]"), name)
	}
}

func TestNamesInPromQL(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"a_bucket", "b_total", "up"},
		namesIn(`histogram_quantile(0.9, sum by (le) (rate(a_bucket{x="y, z"}[1m]))) > 120 or max by (q) (b_total{}) / 2 and on() absent(up == 0)`))
}
