// Package browser runs the web app's browser tests (web/e2e) against a running
// Tandem, in the demo or in containers.
package browser

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Run runs the browser tests against the gateway at url. The folder data contains
// run.json (package runfile), with the database's address and the workers' process
// ids: the tests compare the page with them. Only tests in folders beside this one
// can call Run, because its paths are relative.
func Run(t *testing.T, url, data string) {
	t.Helper()
	run(t, "e2e", url, data)
}

// RunRide runs those that book a ride, watch it and drive: what may depend on the backend.
func RunRide(t *testing.T, url, data string) {
	t.Helper()
	run(t, "e2e:ride", url, data)
}

// RunPages runs those that look at each page on every screen, with odd browsers and odd
// words: what they see does not depend on the backend.
func RunPages(t *testing.T, url, data string) {
	t.Helper()
	run(t, "e2e:pages", url, data)
}

// RunFaults runs those that freeze and kill processes. These must be this
// machine's own: the demo's, and not a container's.
func RunFaults(t *testing.T, url, data string) {
	t.Helper()
	run(t, "e2e:faults", url, data)
}

// RunSoak leaves the pages open for so long, and sees that they do not grow.
func RunSoak(t *testing.T, url, data string, length time.Duration) {
	t.Helper()
	run(t, "e2e:soak", url, data, fmt.Sprintf("TANDEM_SOAK_MS=%d", length.Milliseconds()))
}

func run(t *testing.T, script, url, data string, env ...string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.json")
	cmd := exec.Command("npm", "--prefix", "../../../web", "run", "--silent", script, "--", "--retry="+retries(),
		"--reporter=default", "--reporter=json", "--outputFile.json="+file)
	cmd.Env = append(os.Environ(), "TANDEM_URL="+url, "TANDEM_DATA="+data, "CHROMIUM="+chromium(t))
	cmd.Env = append(cmd.Env, env...)

	out, ended := cmd.CombinedOutput()
	t.Logf("browser:\n%s", out)

	// Each that failed is a test of its own here too, so that it is named at the end.
	b, err := os.ReadFile(file)
	require.NoError(t, err, "the browser tests' report")
	var r report
	require.NoError(t, json.Unmarshal(b, &r))
	for _, f := range r.Files {
		if f.Status == "failed" {
			t.Run(filepath.Base(f.Name), f.tell)
		}
		for _, again := range f.passedAgain() {
			t.Logf("!!! ONLY THE SECOND TIME: %s", again)
		}
	}

	require.NoError(t, ended, "browser tests")
}

// retries is how often a test that failed is tried again: TANDEM_RETRY, or never.
func retries() string {
	if n := os.Getenv("TANDEM_RETRY"); n != "" {
		return n
	}
	return "0"
}

// report is what is read of vitest's: in Jest's form, as its json reporter writes it.
type report struct {
	Files []file `json:"testResults"`
}

type file struct {
	Name    string
	Status  string
	Message string // why none of its tests ran
	Tests   []struct {
		Title    string `json:"fullName"`
		Status   string
		Failures []string `json:"failureMessages"`
	} `json:"assertionResults"`
}

// passedAgain returns the tests that failed before they passed, and why they failed.
func (f file) passedAgain() []string {
	var again []string
	for _, one := range f.Tests {
		if one.Status == "passed" && len(one.Failures) > 0 {
			again = append(again, fmt.Sprintf("%s, %s: %s", filepath.Base(f.Name), one.Title, strings.Join(one.Failures, "\n")))
		}
	}
	return again
}

func (f file) tell(t *testing.T) {
	for _, one := range f.Tests {
		if one.Status == "failed" {
			t.Run(one.Title, func(t *testing.T) { t.Error(strings.Join(one.Failures, "\n")) })
		}
	}
	if !t.Failed() {
		t.Error("failed as a whole: ", f.Message)
	}
}
