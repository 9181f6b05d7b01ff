package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/internal/stream/shardreader"
)

func TestOnlyMeasuredSpeedsAboveTheLimitCount(t *testing.T) {
	t.Parallel()
	f := finding{limit: 60, drivers: map[string]bool{}}
	var b shardreader.Batch
	for driver, speed := range map[string]*float64{"fast": new(17.0), "slow": new(16.0), "unknown": nil} {
		data, err := event.Point{Driver: driver, Seq: 5, At: 5, Speed: speed}.Encode()
		require.NoError(t, err)
		b.Records = append(b.Records, shardreader.Record{Key: driver, Data: data})
	}
	b.Records = append(b.Records, shardreader.Record{Data: []byte("not a point")})

	f.take(b)
	require.Equal(t, map[string]bool{"fast": true}, f.drivers)
	require.Equal(t, 3, f.points)
}

// The reader's program is this one without the three lines.
func TestOnlyTheThreeLinesAreMissing(t *testing.T) {
	t.Parallel()
	solution := lines(t, "main.go")
	hole := lines(t, "../main.go")

	begins := strings.Index(solution, "\t\tif p.Speed != nil")
	require.Positive(t, begins)
	ends := begins + strings.Index(solution[begins:], "\t\t}\n") + len("\t\t}\n")
	require.Equal(t, solution[:begins]+solution[ends:], hole)
}

var notes = regexp.MustCompile(`(?m)^\s*//.*\n`)

// lines returns a program without the comments that have a line of their own.
func lines(t *testing.T, path string) string {
	t.Helper()
	source, err := os.ReadFile(path)
	require.NoError(t, err)
	return notes.ReplaceAllString(string(source), "")
}
