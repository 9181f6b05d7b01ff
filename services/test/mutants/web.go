package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

const webDir = "web"

// inWeb reports whether the bug is one of the page's own code, which vitest tests.
func (m mutant) inWeb() bool { return strings.HasPrefix(m.file, webDir+"/") }

// filters are the tests that should catch a bug of the page, as vitest takes them:
// beginnings of paths below web.
func (m mutant) filters() []string {
	inWeb := func(file string) string { return strings.TrimPrefix(file, webDir+"/") }
	if len(m.packages) > 0 {
		out := make([]string, len(m.packages))
		for i, p := range m.packages {
			out[i] = inWeb(p)
		}
		return out
	}
	if m.tests == "" {
		return []string{inWeb(path.Dir(m.file)) + "/"}
	}
	return []string{path.Join(inWeb(path.Dir(m.file)), m.tests) + "."}
}

// webTest runs vitest. In place of the file it loads what stands in planted, where
// that is not empty: web/planted.config.ts does so.
func (r runner) webTest(ctx context.Context, file, planted string, filters ...string) (out result, err error) {
	dir, err := os.MkdirTemp("", "mutant-web-")
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	report := filepath.Join(dir, "report.json")

	limited, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	args := append([]string{"run", "--config", "planted.config.ts", "--silent", "--bail", "1", "--reporter", "json", "--outputFile", report}, filters...)
	cmd := exec.CommandContext(limited, filepath.Join("node_modules", ".bin", "vitest"), args...) //nolint:gosec // our own arguments
	cmd.Dir = filepath.Join(r.root, webDir)
	cmd.Env = append(os.Environ(), "PLANTED_IN="+filepath.Join(r.root, file), "PLANTED="+planted)
	// vitest's workers are ended with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }

	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	failed := cmd.Run()
	if limited.Err() != nil && ctx.Err() == nil {
		return result{failed: []string{strings.Join(filters, " ") + " (it hangs)"}}, failed
	}

	raw, err := os.ReadFile(report) //nolint:gosec // a folder of our own
	if err != nil {
		return result{text: text.String()}, fmt.Errorf("vitest says nothing: %w %w %s", failed, err, text.String())
	}
	if out, err = readWeb(raw); err == nil && failed != nil && len(out.failed) == 0 && out.build == "" {
		out.build = "no test fails, and vitest does: " + text.String() // a name that matches no test, say
	}
	return out, errors.Join(failed, err)
}

// readWeb reads vitest's report.
func readWeb(raw []byte) (out result, err error) {
	var report struct {
		TestResults []struct {
			Name, Status, Message string
			AssertionResults      []struct{ FullName, Status string }
		}
	}
	if err := json.Unmarshal(raw, &report); err != nil {
		return out, err
	}

	for _, file := range report.TestResults {
		for _, test := range file.AssertionResults {
			if test.Status == "failed" {
				out.failed = append(out.failed, path.Base(file.Name)+": "+test.FullName)
			}
		}
		if file.Status == "failed" && len(file.AssertionResults) == 0 {
			out.build, _, _ = strings.Cut(file.Message, "\n")
		}
	}
	return out, nil
}

// webBaseline runs the page's tests without a bug, all at once.
func (r runner) webBaseline(ctx context.Context, mutants []mutant) error {
	var filters []string
	for _, m := range mutants {
		if m.inWeb() {
			filters = append(filters, m.filters()...)
		}
	}
	if len(filters) == 0 {
		return nil
	}
	if _, err := os.Stat(filepath.Join(r.root, webDir, "node_modules", ".bin", "vitest")); err != nil {
		return fmt.Errorf("the web app's packages are not installed: make web does so: %w", err)
	}

	filters = slices.Compact(slices.Sorted(slices.Values(filters)))
	r.say("without a mutant, the page's: " + strings.Join(filters, " "))
	out, err := r.webTest(ctx, "", "", filters...)
	if err != nil {
		return fmt.Errorf("%s fails without a mutant: npm --prefix web test shows why: %w %s", out.caughtBy(), err, out.build)
	}
	return nil
}
