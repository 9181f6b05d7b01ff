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
	for _, section := range []string{"queue", "stream", "latency", "growth"} {
		docs := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(docs, "benchmarks.md"), text, 0o600))
		require.NoError(t, replaceSection(docs, section, ""))
	}
}

func TestAnAimIsMissedOnItsOwnSide(t *testing.T) {
	at := func(ratio, aim float64, less bool) result {
		return result{row: row{aim: aim, less: less}, oursRates: []float64{1}, peerRates: []float64{1}, ratios: []float64{ratio}}
	}
	for _, tt := range []struct {
		result
		missed bool
		cell   string
	}{
		{at(0.9, 1, false), true, "| ≥ 1.00, **missed** |"},
		{at(1, 1, false), false, "| ≥ 1.00, met |"},
		{at(0.4, 0.35, true), true, "| ≤ 0.35, **missed** |"},
		{at(0.35, 0.35, true), false, "| ≤ 0.35, met |"},
		{at(0.1, 0, false), false, "| – |"},
	} {
		require.Equal(t, tt.missed, tt.result.missed(), tt.cell)
		require.Contains(t, table([]result{tt.result}), tt.cell)
	}
}

func TestASmallNumberIsNotZero(t *testing.T) {
	text := table([]result{{row: row{aim: 0.35, less: true}, oursRates: []float64{0.94}, peerRates: []float64{470.4}, ratios: []float64{0.002}}})
	require.Contains(t, text, "| 0.94 (0.94–0.94) |")
	require.Contains(t, text, "| 470 (470–470) | **0.002 (0.002–0.002)** |")
}

func TestABenchmarksMetricIsFound(t *testing.T) {
	const out = "goos: linux\nBenchmarkPoints/100/durable-2 \t 1\t3469678649 ns/op\t 48300 points/cpu-s\t 32230.5 points/s\nPASS\n"
	v, err := metric(out, "points/s")
	require.NoError(t, err)
	require.InDelta(t, 32230.5, v, 0)
	_, err = metric(out, "bytes/point")
	require.ErrorContains(t, err, "no bytes/point in")
	_, err = metric("points/s", "points/s")
	require.Error(t, err)
}

func TestTheMedianOfTwoLiesBetweenThem(t *testing.T) {
	require.InDelta(t, 3, median([]float64{4, 2}), 0)
	require.InDelta(t, 2, median([]float64{9, 1, 2}), 0)
}
