// Package observe reads deploy/observe: the rules and dashboards, and which metrics they
// are about. Tests hold them against the alarms of messaging.yaml and against what the
// services show.
package observe

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// Rule is one alert.
type Rule struct {
	Alert, Expr string
	For         time.Duration
	Annotations map[string]string
}

// Panel is one panel of a dashboard.
type Panel struct {
	ID          int
	Type, Title string
	Datasource  struct{ UID string }
	GridPos     struct{ X, Y, W, H int }
	Targets     []struct{ Expr, RefID string }
}

// Dashboard is one dashboard.
type Dashboard struct {
	UID, Title string
	Panels     []Panel
}

// Rules returns the alerts; root is the module's.
func Rules(t testing.TB, root string) (rules []Rule) {
	t.Helper()
	var file struct{ Groups []struct{ Rules []Rule } }
	raw, err := os.ReadFile(filepath.Join(root, "deploy/observe/alerts.yml"))
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(raw, &file))
	for _, g := range file.Groups {
		rules = append(rules, g.Rules...)
	}
	require.NotEmpty(t, rules)
	return rules
}

// Dashboards returns the dashboards.
func Dashboards(t testing.TB, root string) (all []Dashboard) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "deploy/observe/grafana/dashboards/*.json"))
	require.NoError(t, err)
	for _, f := range files {
		raw, err := os.ReadFile(f)
		require.NoError(t, err)
		var d Dashboard
		require.NoError(t, json.Unmarshal(raw, &d), f)
		all = append(all, d)
	}
	require.Len(t, all, 2)
	return all
}

// Metrics returns the names of all metrics that rules and panels are about, each with
// one place that uses it. Those that Prometheus makes itself are left out.
func Metrics(t testing.TB, root string) map[string]string {
	t.Helper()
	out := map[string]string{}
	note := func(expr, where string) {
		for _, name := range namesIn(expr) {
			out[name] = where
		}
	}

	for _, r := range Rules(t, root) {
		note(r.Expr, r.Alert)
	}
	for _, d := range Dashboards(t, root) {
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				note(target.Expr, d.Title+": "+p.Title)
			}
		}
	}
	delete(out, "ALERTS")
	delete(out, "up")
	return out
}

// namesIn returns the metrics of an expression of PromQL: what is left of its names
// without labels, durations, functions and operators.
func namesIn(expr string) (names []string) {
	for _, drop := range []string{`\{[^}]*\}`, `\[[^\]]*\]`, `\b(by|on|without)\s*\([^)]*\)`, `\b[a-z_0-9]+\s*\(`, `\b(and|or|unless|sum|max|min)\b`} {
		expr = regexp.MustCompile(drop).ReplaceAllString(expr, " ")
	}
	return regexp.MustCompile(`[A-Za-z_:][A-Za-z0-9_:]*`).FindAllString(expr, -1)
}
