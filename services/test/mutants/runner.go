package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// runner runs mutants' tests in the module at root.
type runner struct {
	root    string
	timeout time.Duration
	say     func(line string)
}

// all runs the mutants, several at once, and says of each what became of it. The
// error says what survived or could not be judged.
func (r runner) all(ctx context.Context, mutants []mutant, jobs int) error {
	var mu sync.Mutex
	var caught int
	var wrong error

	var running sync.WaitGroup
	free := make(chan struct{}, max(jobs, 1))
	for _, m := range mutants {
		free <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		running.Go(func() {
			defer func() { <-free }()
			began := time.Now()
			test, err := r.one(ctx, m)

			mu.Lock()
			defer mu.Unlock()
			verdict := "caught  "
			switch {
			case err != nil:
				verdict, test = "ERROR   ", err.Error()
				wrong = errors.Join(wrong, fmt.Errorf("%q could not be judged", m.name))
			case test == "":
				verdict = "SURVIVED"
				wrong = errors.Join(wrong, fmt.Errorf("%q survived", m.name))
			default:
				caught++
			}
			r.say(fmt.Sprintf("%s %5.1f s  %-80s %s", verdict, time.Since(began).Seconds(), m.name, test))
		})
	}
	running.Wait()

	if err := ctx.Err(); err != nil {
		return err
	}
	r.say(fmt.Sprintf("%d planted, %d caught", len(mutants), caught))
	return wrong
}

// baseline runs the same tests without a bug: where they fail by themselves, a
// failure proves nothing. go test keeps the result until the code changes.
func (r runner) baseline(ctx context.Context, mutants []mutant) error {
	patterns := map[string][]string{} // packages -> -run patterns
	var order []string
	for _, m := range mutants {
		if m.inWeb() {
			continue
		}
		key := strings.Join(m.targets(), " ")
		if !slices.Contains(order, key) {
			order = append(order, key)
		}
		patterns[key] = append(patterns[key], m.tests)
	}

	for i, key := range order {
		r.say(fmt.Sprintf("without a mutant, %d of %d: %s", i+1, len(order), key))
		pattern := strings.Join(slices.Compact(slices.Sorted(slices.Values(patterns[key]))), "|")
		if slices.Contains(patterns[key], "") {
			pattern = ""
		}
		out, err := r.goTest(ctx, append([]string{"-run", pattern}, strings.Fields(key)...)...)
		if err != nil {
			return fmt.Errorf("%s fails without a mutant: go test -run '%s' %s shows why: %w %s", out.caughtBy(), pattern, key, err, out.build)
		}
		if strings.Contains(out.text, "[no tests to run]") {
			return fmt.Errorf("%s has no test that matches %s", key, pattern)
		}
	}
	return errors.Join(ctx.Err(), r.webBaseline(ctx, mutants))
}

// one runs the mutant's tests, and returns the test that caught it, or "".
func (r runner) one(ctx context.Context, m mutant) (test string, err error) {
	dir, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	overlay, planted, err := m.overlay(r.root, dir)
	if err != nil {
		return "", err
	}
	var out result
	if m.inWeb() {
		out, err = r.webTest(ctx, m.file, planted, m.filters()...)
	} else {
		out, err = r.goTest(ctx, append([]string{"-overlay", overlay, "-count=1", "-failfast", "-run", m.tests}, m.targets()...)...)
	}
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case out.build != "":
		return "", fmt.Errorf("it does not compile: %s", out.build)
	case err == nil:
		return "", nil
	}
	return out.caughtBy(), nil
}

// result is what a run of go test, or of vitest, said.
type result struct {
	failed []string // tests and packages, in order
	build  string   // the compiler's first error
	text   string
}

// caughtBy names the test that failed first, in its full length: a test's
// failure is reported before its parent's.
func (r result) caughtBy() string {
	by := "a test that ended its process"
	if len(r.failed) > 0 {
		by = r.failed[0]
	}
	if strings.Contains(r.text, "panic: test timed out after") {
		by += " (it hangs)"
	}
	return by
}

// goTest runs go test. Its error is that of the tests, of the build, or of go.
func (r runner) goTest(ctx context.Context, args ...string) (result, error) {
	args = append([]string{"test", "-json", "-vet=off", "-timeout", r.timeout.String()}, args...)
	cmd := exec.CommandContext(ctx, "go", args...) //nolint:gosec // our own arguments
	cmd.Dir = r.root
	// What rapid found in a mutant is no case to try again without it.
	cmd.Env = append(os.Environ(), "RAPID_NOFAILFILE=1")
	// The tests' processes are asked to end with go test, which would leave them.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }

	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()

	return read(&stdout, stderr.String()), err
}

// read reads go test's events.
func read(events *bytes.Buffer, stderr string) result {
	var out result
	var text strings.Builder
	text.WriteString(stderr)

	for d := json.NewDecoder(events); ; {
		var e struct{ Action, Package, Test, Output, ImportPath string }
		if d.Decode(&e) != nil {
			break
		}

		text.WriteString(e.Output)
		switch {
		case e.Action == "build-output" && out.build == "" && !strings.HasPrefix(e.Output, "#"):
			out.build = strings.TrimSpace(e.Output)
		case e.Action == "fail" && e.Test != "":
			out.failed = append(out.failed, e.Test)
		case e.Action == "fail":
			out.failed = append(out.failed, "something in "+e.Package)
		}
	}

	out.text = text.String()
	return out
}
