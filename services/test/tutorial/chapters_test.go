package tutorial

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tandem/services/test/testenv"

	"github.com/stretchr/testify/require"
)

const root = "../../.."

func all(t *testing.T) []*page {
	t.Helper()
	pages, err := chapters(root)
	require.NoError(t, err)
	require.NotEmpty(t, pages)
	return pages
}

func TestExcerptsAreWhatTheSourceSays(t *testing.T) {
	for _, p := range all(t) {
		for _, e := range p.excerpts {
			require.NoError(t, e.check(root), "%s:%d", p.path, e.line)
		}
	}
}

func TestLinksLeadSomewhere(t *testing.T) {
	for _, p := range all(t) {
		for _, link := range p.links {
			file, anchor, _ := strings.Cut(link, "#")
			switch {
			case strings.HasPrefix(link, "https://"), strings.HasPrefix(link, "http://127.0.0.1:8080/"):
				continue // neither the network nor a demo is needed to run this
			case file == "":
				require.True(t, p.anchors[anchor], "%s: there is no heading #%s here", p.path, anchor)
				continue
			}

			target := filepath.Join(filepath.Dir(p.path), file)
			_, err := os.Stat(target) // a file, or a folder
			require.NoError(t, err, p.path)
			if anchor == "" || filepath.Ext(target) != ".md" {
				continue
			}
			other, err := read(target)
			require.NoError(t, err)
			require.True(t, other.anchors[anchor], "%s: there is no heading #%s in %s", p.path, anchor, file)
		}
	}
}

// TestCommandsPrintWhatTheChaptersSay runs every command of the tutorial.
func TestCommandsPrintWhatTheChaptersSay(t *testing.T) {
	if os.Getenv("TANDEM_TUTORIAL") == "" {
		t.Skip("NOT TESTED: the commands of docs/tutorial take minutes: make tutorial")
	}
	running := os.Getenv("TANDEM_TUTORIAL") == "running" // a demo of the author's own, for a quick look
	var env []string
	if !running {
		// Containers of its own, too: "down --volumes" would take a developer's data.
		env = []string{"TANDEM_DATA=" + testenv.DemoDir(t, "tutorial"), "TANDEM_ADDR=" + testenv.FreeAddr(t), "COMPOSE_PROJECT_NAME=tandem-tutorial"}
	}
	term := newTerminal(root, t.TempDir(), env...)
	t.Cleanup(func() { require.NoError(t, term.interrupt(second)) })

	var standing step // what the chapters before have left in the second terminal
	for _, p := range all(t) {
		t.Run(filepath.Base(p.path), func(t *testing.T) {
			seen := numbers{}
			if !running && !term.runs(second) && standing.commands != "" {
				require.NoError(t, standing.check(t, term, numbers{}), "%s: what it needs", p.path)
			}
			for _, s := range p.steps {
				if running && s.terminal == second {
					continue
				}
				t.Logf("%s:%d\n%s", filepath.Base(p.path), s.line, s.commands)
				if s.with != "" && !canRun(t, s.with) {
					continue
				}
				if s.with == withDocker {
					require.NoError(t, term.interrupt(second), "two of Tandem are too much for two cores")
				}
				require.NoError(t, s.check(t, term, seen), "%s:%d", p.path, s.line)
			}
			require.NoError(t, term.interrupt(third))
		})
		for _, s := range p.steps {
			if s.terminal == second {
				standing = s // also where -run has left the chapter out
			}
		}
	}
}

// Only the second terminal's commands go on when their chapter ends.
const second, third = "second", "third"

// check runs a step and holds what it prints, and its laws, against what the chapter says.
func (s step) check(t *testing.T, term *terminal, seen numbers) error {
	t.Helper()
	if err := s.run(t, term, seen); err != nil {
		return err
	}
	for _, law := range s.laws {
		if err := seen.hold(law); err != nil {
			return err
		}
	}
	return nil
}

func (s step) run(t *testing.T, term *terminal, seen numbers) error {
	t.Helper()
	if s.terminal != "" {
		// Not the chapter's context: the demo outlives it, until interrupt.
		return term.runBeside(context.WithoutCancel(t.Context()), s.terminal, s.commands, func(printed string) error { return seen.match(s.prints, printed) })
	}

	printed, err := term.run(t.Context(), s.commands)
	t.Log(printed)
	if err != nil || s.prints == "" {
		return err
	}
	return seen.match(s.prints, printed)
}

// canRun reports whether what an optional block needs is there. Where it is not a skipped
// test says so.
func canRun(t *testing.T, with string) (there bool) {
	t.Helper()
	t.Run(strings.TrimPrefix(with, "# "), func(t *testing.T) {
		if out, err := exec.CommandContext(t.Context(), "sh", "-c", optional[with]).CombinedOutput(); err != nil {
			t.Skipf("NOT TESTED: %s fails: %v: %s", optional[with], err, out)
		}
		there = true
	})
	return there
}
