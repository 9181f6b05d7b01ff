package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

// machine says what the numbers were measured on.
func machine() string {
	model := "unknown CPU"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if m := regexp.MustCompile(`(?m)^model name\s*:\s*(.+)$`).FindSubmatch(text); m != nil {
			model = string(m[1])
		}
	}
	out := fmt.Sprintf("%s, %d cores, %s %s, %s", model, runtime.NumCPU(), runtime.GOOS, firstWord("/proc/sys/kernel/osrelease"), runtime.Version())
	return out + ", load " + firstWord("/proc/loadavg") + ", " + time.Now().UTC().Format(time.DateOnly)
}

func firstWord(file string) string {
	text, err := os.ReadFile(file)
	if words := strings.Fields(string(text)); err == nil && len(words) > 0 {
		return words[0]
	}
	return "unknown"
}

// table is the results in Markdown.
func table(results []result) string {
	var b strings.Builder
	b.WriteString("| work | ours | its rate | peer | its rate | ratio | aim |\n|---|---|--:|---|--:|--:|--:|\n")
	for _, r := range results {
		aim := "–"
		switch {
		case r.aim > 0 && r.missed():
			aim = r.bound() + ", **missed**"
		case r.aim > 0:
			aim = r.bound() + ", met"
		}
		fmt.Fprintf(&b, "| %s (%s) | %s | %s | %s | %s | **%s** | %s |\n", r.name, r.unit,
			r.ours.name, spread(r.oursRates, finer(r.oursRates, 10, "%.0f", "%.2f")), r.peer.name, spread(r.peerRates, finer(r.peerRates, 10, "%.0f", "%.2f")),
			spread(r.ratios, finer(r.ratios, 0.1, "%.2f", "%.3f")), aim)
	}
	return b.String()
}

// finer returns the format small for what has a median below that, so that 0.002 is not 0.
func finer(v []float64, below float64, format, small string) string {
	if median(v) < below {
		return small
	}
	return format
}

// bound is the row's aim, as in the table.
func (r row) bound() string {
	if r.less {
		return fmt.Sprintf("≤ %.2f", r.aim)
	}
	return fmt.Sprintf("≥ %.2f", r.aim)
}

// spread is the median and, in brackets, the least and the most.
func spread(v []float64, format string) string {
	return fmt.Sprintf(format+" ("+format+"–"+format+")", median(v), slices.Min(v), slices.Max(v))
}

// writeReport puts the results into benchmarks.md in docs, and draws them in a picture
// beside it.
func writeReport(docs, section, machine string, runs int, results []result) error {
	picture := "benchmarks-" + section + ".svg"
	body := fmt.Sprintf("%s%s\n![The ratios of the table, with their aims](%s)\n\n", measuredOn(machine, runs), table(results), picture)
	if err := replaceSection(docs, section, body); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(docs, picture), []byte(svg(results)), 0o644) //nolint:gosec // a picture
}

// counted returns "1 run" or "5 runs".
func counted(runs int) string {
	if runs == 1 {
		return "1 run"
	}
	return fmt.Sprintf("%d runs", runs)
}

func measuredOn(machine string, runs int) string {
	return fmt.Sprintf("\nMeasured on: %s. %s; median (least–most).\n\n", machine, counted(runs))
}

// replaceSection replaces what stands between the two marks of a section in
// benchmarks.md in docs.
func replaceSection(docs, section, body string) error {
	file := filepath.Join(docs, "benchmarks.md")
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}

	begin, end := fmt.Sprintf("<!-- %s: written by make bench -->\n", section), fmt.Sprintf("<!-- %s: end -->", section)
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no marks of the section %s", file, section)
	}
	return os.WriteFile(file, []byte(before+begin+body+end+after), 0o644) //nolint:gosec // a document
}

// svg draws each ratio as a bar, its spread as a line, and its aim as a mark.
func svg(results []result) string {
	const width, left, right, rowHeight = 900, 400, 70, 40
	most := 1.0
	for _, r := range results {
		most = max(most, r.aim, slices.Max(r.ratios))
	}
	x := func(ratio float64) float64 { return left + ratio/most*(width-left-right) }

	var b strings.Builder
	height := rowHeight*len(results) + 40
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13">`+"\n", width, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	for i, r := range results {
		y := float64(rowHeight*i + 10)
		color := "#2f7d5b"
		if r.missed() {
			color = "#b3423a"
		}
		fmt.Fprintf(&b, `<text x="%d" y="%.0f" text-anchor="end">%s ÷ %s</text>`+"\n", left-10, y+18, r.ours.name, r.peer.name)
		fmt.Fprintf(&b, `<rect x="%d" y="%.0f" width="%.1f" height="24" fill="%s"/>`+"\n", left, y, x(median(r.ratios))-left, color)
		fmt.Fprintf(&b, `<path d="M%.1f %.0fH%.1f" stroke="#111" stroke-width="2"/>`+"\n", x(slices.Min(r.ratios)), y+12, x(slices.Max(r.ratios)))
		if r.aim > 0 {
			fmt.Fprintf(&b, `<path d="M%.1f %.0fv32" stroke="#111" stroke-dasharray="3 3"/>`+"\n", x(r.aim), y-4)
		}
		fmt.Fprintf(&b, `<text x="%.1f" y="%.0f">%s</text>`+"\n", x(max(slices.Max(r.ratios), r.aim))+6, y+18, fmt.Sprintf(finer(r.ratios, 0.1, "%.2f", "%.3f"), median(r.ratios)))
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" fill="#555">ours ÷ peer, median; line: least to most; dashes: aim</text>`+"\n</svg>\n", left, height-12)
	return b.String()
}
