package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestASectionIsReplacedAndNoOther(t *testing.T) {
	docs := t.TempDir()
	file := filepath.Join(docs, "benchmarks.md")
	const text = "# A\n<!-- a: written by make bench -->\nold\n<!-- a: end -->\nb\n<!-- b: written by make bench -->\nold\n<!-- b: end -->\nend\n"
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))

	require.NoError(t, replaceSection(docs, "b", "new\n"))
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "# A\n<!-- a: written by make bench -->\nold\n<!-- a: end -->\nb\n<!-- b: written by make bench -->\nnew\n<!-- b: end -->\nend\n", string(got))

	require.ErrorContains(t, replaceSection(docs, "c", "new\n"), "no marks of the section c")
	after, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, got, after, "nothing is half-written")
}

func TestEveryMeasurementHasItsSection(t *testing.T) {
	text, err := os.ReadFile("../../docs/benchmarks.md")
	require.NoError(t, err)
	for _, section := range []string{"queue", "latency"} {
		docs := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(docs, "benchmarks.md"), text, 0o600))
		require.NoError(t, replaceSection(docs, section, ""))
	}
}
