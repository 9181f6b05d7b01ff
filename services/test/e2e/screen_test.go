package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tandem/services/test/testenv"

	"github.com/stretchr/testify/require"
)

// What the first screen says to type in another terminal works as it stands there,
// whatever the data folder is called.
func TestTheScreensCommandsWorkAsPrinted(t *testing.T) {
	wanted(t)
	dir := filepath.Join(testenv.DemoDir(t, "e2e"), "a demo's data")
	d := boot(t, dir, "--drivers", "20", "--riders", "5")

	file := filepath.Join(t.TempDir(), "points.csv")
	var points strings.Builder
	points.WriteString("driver,time,lat,lon\n")
	for i := range 10 {
		_, _ = fmt.Fprintf(&points, "cab,%s,%.5f,-56.2\n", time.Date(2020, 1, 1, 12, 0, i, 0, time.UTC).Format(time.RFC3339), -34.9+float64(i)/1e4)
	}
	require.NoError(t, os.WriteFile(file, []byte(points.String()), 0o600))

	commands := d.commands(t)
	require.Len(t, commands, 2)
	for _, command := range commands {
		out, err := exec.CommandContext(t.Context(), "sh", "-c", strings.Replace(command, "FILE", file, 1)).CombinedOutput()
		require.NoError(t, err, "%s\n%s", command, out)
	}
}

// commands returns what stands behind "In another terminal".
func (d *demo) commands(t *testing.T) []string {
	t.Helper()
	const label = " In another terminal"
	require.Eventually(t, func() bool {
		_, after, ok := strings.Cut(d.out.String(), label)
		return ok && strings.Contains(after, "\n")
	}, time.Minute, 50*time.Millisecond)

	_, after, _ := strings.Cut(d.out.String(), label)
	line, _, _ := strings.Cut(after, "\n")
	return strings.Split(strings.TrimSpace(line), "     ")
}
