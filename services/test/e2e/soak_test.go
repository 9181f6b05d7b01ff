package e2e

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/test/browser"
	"tandem/services/test/testenv"
)

// TestSoak leaves the demo alone for TANDEM_SOAK (make soak: an hour) and
// tabulates each process's memory and each folder's size on the way. For half of that
// time each page is open in a browser.
func TestSoak(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv("TANDEM_SOAK"))
	if err != nil {
		t.Skip("takes an hour: run it with make soak")
	}

	d := boot(t, testenv.DemoDir(t, "e2e"))
	end := time.Now().Add(length)
	t.Run("meanwhile", func(t *testing.T) {
		t.Run("pages", func(t *testing.T) {
			t.Parallel()
			browser.RunSoak(t, d.base, d.dir, length/2)
		})
		t.Run("processes", func(t *testing.T) {
			t.Parallel()
			for _, at := range []time.Duration{length / 6, length / 2, length} {
				select {
				case err := <-d.done:
					t.Fatalf("the demo ended: %v", err)
				case <-time.After(time.Until(end.Add(at - length))):
				}
				t.Logf("after %s\n%s%s", at, memory(t, d), disk(t, d.dir))
			}
		})
	})

	require.NoError(t, d.cmd.Process.Signal(os.Interrupt))
	require.Zero(t, d.wait(t, 15*time.Second))
}

func memory(t *testing.T, d *demo) string {
	t.Helper()
	var b strings.Builder
	for _, p := range d.runFile(t).Processes {
		kb := 0
		rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", p.PID))
		if err == nil {
			_, at, _ := strings.Cut(string(rollup), "\nPss:")
			_, err = fmt.Sscan(at, &kb)
		}
		fmt.Fprintf(&b, "  %-14s pid %-8d %6.1f MB %v\n", p.Name, p.PID, float64(kb)/1024, orEmpty(err))
	}
	return b.String()
}

func orEmpty(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func disk(t *testing.T, dir string) string {
	t.Helper()
	sizes, order := map[string]int64{}, []string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil //nolint:nilerr // files come and go while the demo runs
		}

		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		top, _, _ := strings.Cut(filepath.ToSlash(rel), "/")
		if _, seen := sizes[top]; !seen {
			order = append(order, top)
		}
		if info, err := e.Info(); err == nil {
			sizes[top] += info.Size()
		}
		return nil
	})
	require.NoError(t, err)

	var b strings.Builder
	for _, top := range order {
		fmt.Fprintf(&b, "  %-14s %8.1f MB on disk\n", top, float64(sizes[top])/(1<<20))
	}
	return b.String()
}
