package scaling

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/profile"
)

// The pictures and the numbers of docs/scaling.md are what this code makes. When it
// changes on purpose: tandem autoscale simulate --svg docs/images/autoscale-day.svg, the
// same with --step, and the page.
func TestThePageShowsWhatIsSimulated(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/scaling.md")
	require.NoError(t, err)

	for _, c := range []struct {
		file, title string
		simulated   Result
	}{
		{"autoscale-day.svg", "A day, simulated", Day(1, profile.Default().Workers)},
		{"autoscale-step-simulated.svg", "A step from 0.5 to 5 requests a second and back, simulated", Step(1, profile.Default().Workers)},
	} {
		var svg bytes.Buffer
		require.NoError(t, WriteSVG(&svg, c.title, c.simulated.Points))
		committed, err := os.ReadFile("../../../docs/images/" + c.file)
		require.NoError(t, err)
		require.True(t, bytes.Equal(committed, svg.Bytes()), "docs/images/%s is not what is simulated", c.file)

		require.Contains(t, string(page), c.file)
		require.Contains(t, string(page), c.simulated.String())
	}
}

func TestAnotherSeedIsAnotherDay(t *testing.T) {
	t.Parallel()
	require.NotEqual(t, Step(1, profile.Default().Workers), Step(2, profile.Default().Workers))
}

func TestSum(t *testing.T) {
	at := func(minutes int) time.Duration { return time.Duration(minutes) * time.Minute }
	s := Sum([]Point{
		{At: at(0), Workers: 2, Waiting: 3}, {At: at(30), Workers: 4, Waiting: 50, Oldest: 9 * time.Second}, {At: at(60), Workers: 5},
		{At: at(90), Workers: 5}, {At: at(120), Workers: 4}, {At: at(150), Workers: 6},
	})
	require.Equal(t, Summary{ScaleOuts: 3, ScaleIns: 1, Turns: 2, MostWorkers: 6, MostWaiting: 50, LongestWait: 9 * time.Second, WorkerHours: 10}, s)
	require.Equal(t, Summary{}, Sum(nil))
}

func TestAPictureHasAGapWhereNothingIsKnown(t *testing.T) {
	points := []Point{
		{At: 0, Known: true, Waiting: 1, Workers: 2}, {At: time.Minute, Known: true, Waiting: 2, Workers: 2},
		{At: 2 * time.Minute, Workers: 2},
		{At: 3 * time.Minute, Known: true, Waiting: 3, Workers: 2},
	}
	c := newColumns(points)
	require.Equal(t, 2, strings.Count(c.path(line{"", func(p Point) float64 { return float64(p.Waiting) }, true}, 100, 4), "M"))
	require.Equal(t, 1, strings.Count(c.path(line{"", func(p Point) float64 { return float64(p.Workers) }, false}, 100, 4), "M"), "the workers are known")

	for _, some := range [][]Point{points, points[:1], nil} {
		var b bytes.Buffer
		require.NoError(t, WriteSVG(&b, `a <title> & "more"`, some))
		wellFormed(t, &b)
	}
}

func wellFormed(t *testing.T, r io.Reader) {
	t.Helper()
	for d := xml.NewDecoder(r); ; {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
	}
}
