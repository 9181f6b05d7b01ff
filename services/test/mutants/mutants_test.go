package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// write makes a module of its own, with one package and its test.
func write(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	for name, text := range map[string]string{
		"go.mod":      "module m\n\ngo 1.26\n",
		"a/a.go":      "package a\n\nfunc Sum(a, b int) int { return a + b }\n\nfunc Untested() int { return 1 }\n",
		"a/a_test.go": "package a\n\nimport \"testing\"\n\nfunc TestSum(t *testing.T) {\n\tif Sum(1, 2) != 3 {\n\t\tt.Fatal()\n\t}\n}\n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o600))
	}
	return root
}

func TestAMutantIsCaughtSurvivesOrCannotBeJudged(t *testing.T) {
	t.Setenv("GOFLAGS", "-mod=mod")
	var said []string
	r := runner{root: write(t), timeout: time.Minute, say: func(line string) { said = append(said, line) }}
	caught := mutant{name: "minus", file: "a/a.go", before: "a + b", after: "a - b"}
	survives := mutant{name: "two", file: "a/a.go", before: "return 1", after: "return 2"}
	broken := mutant{name: "no Go", file: "a/a.go", before: "a + b", after: "a +"}
	twice := mutant{name: "twice", file: "a/a.go", before: "return", after: ""}

	test, err := r.one(t.Context(), caught)
	require.NoError(t, err)
	require.Equal(t, "TestSum", test)
	test, err = r.one(t.Context(), survives)
	require.NoError(t, err)
	require.Empty(t, test)
	_, err = r.one(t.Context(), broken)
	require.ErrorContains(t, err, "does not compile")
	_, err = r.one(t.Context(), twice)
	require.ErrorContains(t, err, "2 times, not once")

	err = r.all(t.Context(), []mutant{caught, survives, broken}, 2)
	require.ErrorContains(t, err, `"two" survived`)
	require.ErrorContains(t, err, `"no Go" could not be judged`)
	require.Equal(t, "3 planted, 1 caught", said[len(said)-1])

	require.NoError(t, r.baseline(t.Context(), []mutant{caught}))
	none := caught
	none.tests = "TestNothing"
	require.ErrorContains(t, r.baseline(t.Context(), []mutant{none}), "no test that matches")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, r.all(ended, []mutant{caught}, 1), context.Canceled)
}

// Whoever edits a line that a row plants a bug in hears of it from go test.
func TestEachRowsTextStandsOnceInTheTree(t *testing.T) {
	for _, m := range table() {
		_, err := m.plant(filepath.Join("..", "..", ".."))
		require.NoError(t, err)
	}
}
