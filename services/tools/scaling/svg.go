package scaling

import (
	"fmt"
	"html"
	"io"
	"math"
	"strings"
	"time"
)

// The picture's measures, in px.
const (
	svgWidth   = 960
	left       = 56 // of the panels: the axis' labels stand there
	right      = 24
	top        = 46
	panel      = 120
	panelGap   = 34
	panels     = 3
	svgHeight  = top + panels*(panel+panelGap)
	plotWidth  = svgWidth - left - right
	mostLabels = 13
)

// WriteSVG plots backlog, workers and waiting time over time, one below the other. Where
// the queue did not answer its lines have a gap. The same points make the same bytes.
func WriteSVG(w io.Writer, title string, points []Point) error {
	c := newColumns(points)
	var b strings.Builder

	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="%s">`+"\n",
		svgWidth, svgHeight, html.EscapeString(title))
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#fff"/><text x="%d" y="20" font-size="14" font-weight="600" fill="#222">%s</text>`+"\n", left, html.EscapeString(title))

	c.panel(&b, 0, "messages that wait (and, grey, in flight)",
		line{"#b9b9b9", func(p Point) float64 { return float64(p.InFlight) }, true}, line{"#b4531a", func(p Point) float64 { return float64(p.Waiting) }, true})
	c.panel(&b, 1, "workers", line{"#222", func(p Point) float64 { return float64(p.Workers) }, false})
	c.panel(&b, 2, "seconds that the oldest message has waited", line{"#1a5fb4", func(p Point) float64 { return p.Oldest.Seconds() }, true})

	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// line is one line of a panel.
type line struct {
	colour string
	of     func(Point) float64
	gaps   bool // there is a gap where the queue did not answer
}

// columns are the points, by the column of pixels that each falls into.
type columns struct {
	points [][]Point
	span   time.Duration
}

func newColumns(points []Point) columns {
	c := columns{points: make([][]Point, plotWidth+1), span: time.Second}
	if len(points) > 0 {
		c.span = max(c.span, points[len(points)-1].At)
	}
	for _, p := range points {
		x := c.x(p.At)
		c.points[x] = append(c.points[x], p)
	}
	return c
}

func (c columns) x(at time.Duration) int { return int(int64(plotWidth) * int64(at) / int64(c.span)) }

// panel draws the nth panel: its frame, its scale and its lines.
func (c columns) panel(b *strings.Builder, n int, name string, lines ...line) {
	bottom := top + n*(panel+panelGap) + panel
	most := 1.0
	for _, l := range lines {
		for _, column := range c.points {
			for _, p := range column {
				most = max(most, l.of(p))
			}
		}
	}

	scale := roundUp(most)

	fmt.Fprintf(b, `<text x="%d" y="%d" fill="#555">%s</text>`+"\n", left, bottom-panel-4, html.EscapeString(name))
	for _, share := range []float64{0, 0.5, 1} {
		y := bottom - int(share*panel)
		fmt.Fprintf(b, `<path d="M%d %dH%d" stroke="#e4e4e4"/><text x="%d" y="%d" text-anchor="end" fill="#555">%s</text>`+"\n",
			left, y, left+plotWidth, left-6, y+4, number(share*scale))
	}

	for _, at := range c.ticks() {
		fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle" fill="#555">%s</text>`+"\n", left+c.x(at), bottom+14, clock(at, c.span))
	}

	for _, l := range lines {
		fmt.Fprintf(b, `<path d="%s" fill="none" stroke="%s" stroke-width="1.3"/>`+"\n", c.path(l, bottom, scale), l.colour)
	}
}

// path draws the highest value of each column, as steps: a number stays until the next
// look.
func (c columns) path(l line, bottom int, scale float64) string {
	var b strings.Builder
	pen := false
	for x, column := range c.points {
		if len(column) == 0 {
			continue // between two looks
		}

		highest, known := 0.0, false
		for _, p := range column {
			if p.Known || !l.gaps {
				highest, known = max(highest, l.of(p)), true
			}
		}
		y := bottom - int(math.Round(highest/scale*panel))
		switch {
		case !known:
			pen = false
			continue
		case pen:
			fmt.Fprintf(&b, "H%dV%d", left+x, y)
		default:
			fmt.Fprintf(&b, "M%d %d", left+x, y)
		}
		pen = true
	}
	return b.String()
}

// ticks are round times, few enough to read.
func (c columns) ticks() (out []time.Duration) {
	steps := []time.Duration{10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 24 * time.Hour}
	step := steps[len(steps)-1]
	for _, s := range steps {
		if c.span/s < mostLabels {
			step = s
			break
		}
	}

	for at := time.Duration(0); at <= c.span; at += step {
		out = append(out, at)
	}
	return out
}

func clock(at, span time.Duration) string {
	if span >= 2*time.Hour {
		return fmt.Sprintf("%02d:%02d", int(at.Hours()), int(at.Minutes())%60)
	}
	return fmt.Sprintf("%d:%02d", int(at.Minutes()), int(at.Seconds())%60)
}

// roundUp returns the next number that is easy to read off a scale.
func roundUp(x float64) float64 {
	for unit := 1.0; ; unit *= 10 {
		for _, step := range []float64{1, 2, 4, 6, 8, 10} {
			if step*unit >= x {
				return step * unit
			}
		}
	}
}

func number(x float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", x), ".0") }
