// Package browser runs the web app's browser tests (web/e2e) against a running
// Tandem, in the demo or in containers.
package browser

import (
	"fmt"
	"os"
	"os/exec"
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
	cmd := exec.Command("npm", "--prefix", "../../../web", "run", "--silent", script)
	cmd.Env = append(os.Environ(), "TANDEM_URL="+url, "TANDEM_DATA="+data, "CHROMIUM="+chromium(t))
	cmd.Env = append(cmd.Env, env...)

	out, err := cmd.CombinedOutput()
	t.Logf("browser:\n%s", out)
	require.NoError(t, err, "browser tests")
}
