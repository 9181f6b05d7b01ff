// Package browser runs the web app's browser tests (web/e2e) against a Tandem
// that runs, wherever it runs.
package browser

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// Run runs them against the gateway at url. In the folder data lies run.json
// (package runfile), which the tests hold what the page shows against: the
// database's address and the workers' process ids. It is for tests in folders
// beside this one.
func Run(t *testing.T, url, data string) {
	t.Helper()
	cmd := exec.Command("npm", "--prefix", "../../../web", "run", "--silent", "e2e")
	cmd.Env = append(os.Environ(), "TANDEM_URL="+url, "TANDEM_DATA="+data, "CHROMIUM="+chromium(t))
	out, err := cmd.CombinedOutput()
	t.Logf("browser:\n%s", out)
	require.NoError(t, err, "browser tests")
}
