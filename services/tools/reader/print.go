package reader

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// Print writes a line for each shard, and below it what is in its way.
func Print(w io.Writer, shards []Shard, now time.Time) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(out, "READER\tSHARD\tSTATE\tBEHIND AT MOST\tPARKED\tWORKER")
	for _, s := range shards {
		behind := "-"
		if s.State != "drained" {
			behind = max(now.Sub(s.AppliedTo), 0).Round(time.Second).String()
		}
		_, _ = fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%d\t%s\n", s.Group, s.Shard, s.State, behind, s.Parked, cmp.Or(s.Worker, "-"))
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("reader: %w", err)
	}

	for _, s := range shards {
		if s.Error == "" {
			continue
		}
		at := ""
		if s.FailingAt != "" {
			at = " at record " + s.FailingAt
		}
		if _, err := fmt.Fprintf(w, "%s stands still on %s%s: %s\n", s.Group, s.Shard, at, printable(s.Error)); err != nil {
			return fmt.Errorf("reader: %w", err)
		}
	}
	return nil
}

// printable is a text from outside without what would steer the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, s)
}
