package tutorial

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// A first make up builds an image.
	commandsWithin = 8 * time.Minute
	// A first start compiles Tandem and may download Postgres.
	besideWithin = 8 * time.Minute
	endsWithin   = time.Minute
)

// terminal runs a reader's commands, in one shell after the other: what one has exported,
// the next one has. The other terminals do not have it.
type terminal struct {
	root  string   // where the commands run
	state string   // a file with what is exported
	env   []string // beside the machine's own

	beside map[string]*running // by terminal: what runs there
}

func newTerminal(root, dir string, env ...string) *terminal {
	return &terminal{root: root, state: filepath.Join(dir, "exported"), env: env, beside: map[string]*running{}}
}

// first are commands as the first terminal runs them: what it exported before is there.
func (t *terminal) first(commands string) string {
	return fmt.Sprintf("if [ -f '%[1]s' ]; then . '%[1]s'; fi\n%[2]s\nexport -p >'%[1]s'\n", t.state, commands)
}

func (t *terminal) shell(ctx context.Context, script string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "bash", "-c", "set -eo pipefail\n"+script)
	cmd.Dir = t.root
	cmd.Env = append(readers(os.Environ()), t.env...)

	// A group of their own, so that all of them can be ended, as Ctrl-C does it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// readers is an environment without what make tutorial hands on: a reader's make demo
// would take its ARGS.
func readers(environ []string) []string {
	return slices.DeleteFunc(environ, func(e string) bool {
		name, _, _ := strings.Cut(e, "=")
		return slices.Contains([]string{"MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS", "MAKELEVEL", "ARGS"}, name)
	})
}

// run runs commands to their end, and returns what they printed.
func (t *terminal) run(ctx context.Context, commands string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, commandsWithin)
	defer cancel()

	cmd := t.shell(ctx, t.first(commands))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s\n%w: %s%s", commands, err, stdout.String(), stderr.String())
	}
	return stdout.String(), nil
}

// running are the commands of another terminal.
type running struct {
	cmd   *exec.Cmd
	ended chan struct{}

	mu  sync.Mutex
	out strings.Builder
}

func (r *running) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.out.Write(p)
}

func (r *running) printed() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.out.String()
}

// runBeside starts commands in another terminal, in place of those that run there, and
// returns once they have printed what they are to print. They go on until interrupt, or
// until ctx ends.
func (t *terminal) runBeside(ctx context.Context, name, commands string, printed func(string) error) error {
	if err := t.interrupt(name); err != nil {
		return err
	}

	r := &running{cmd: t.shell(ctx, commands), ended: make(chan struct{})}
	r.cmd.Stdout, r.cmd.Stderr = r, r
	if err := r.cmd.Start(); err != nil {
		return fmt.Errorf("tutorial: %w", err)
	}
	t.beside[name] = r
	go func() {
		defer close(r.ended)
		_ = r.cmd.Wait() // interrupted, it may end with any code
	}()

	patience := time.NewTimer(besideWithin)
	defer patience.Stop()
	for {
		// Ended is asked before what was printed, so that the last lines count.
		over := r.over()
		err := printed(r.printed())
		switch {
		case err == nil:
			return nil
		case over:
			return fmt.Errorf("it has ended: %w", err)
		}
		select {
		case <-patience.C:
			return fmt.Errorf("after %s: %w", besideWithin, err)
		case <-r.ended:
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// runs reports whether anything runs in another terminal.
func (t *terminal) runs(name string) bool {
	r := t.beside[name]
	return r != nil && !r.over()
}

func (r *running) over() bool {
	select {
	case <-r.ended:
		return true
	default:
		return false
	}
}

// interrupt is Ctrl-C in another terminal.
func (t *terminal) interrupt(name string) error {
	r := t.beside[name]
	delete(t.beside, name)
	if r == nil {
		return nil
	}

	_ = syscall.Kill(-r.cmd.Process.Pid, syscall.SIGINT) // it may have ended by itself
	select {
	case <-r.ended:
		return nil
	case <-time.After(endsWithin):
		return fmt.Errorf("tutorial: the %s terminal's commands go on after Ctrl-C: %s", name, r.printed())
	}
}
