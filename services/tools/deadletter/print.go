package deadletter

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Command returns what a shell runs for a subcommand and its arguments: this program's
// path before them, and behind them the flags that say where the dead letters are.
type Command func(sub string) string

// PrintList prints what is in a place, or in all of them where none is named, with the
// commands that a person may run next.
func (t *Tool) PrintList(ctx context.Context, w io.Writer, place string, command Command, asJSON bool) error {
	all := []Listing{}
	if place == "" {
		all = t.ListAll(ctx)
	} else {
		l, err := t.List(ctx, place)
		if err != nil {
			return err
		}
		all = append(all, l)
	}

	if asJSON {
		return printJSON(w, all)
	}

	var b strings.Builder
	for _, l := range all {
		l.print(&b)
		if len(l.Letters) > 0 {
			b.WriteString("  next, for the first one:\n")
			l.Letters[0].next(&b, command, "show", "redrive", "discard")
		}
		if len(l.Letters) > 1 && l.Place != Outbox {
			_, _ = fmt.Fprintf(&b, "  for all of them:\n    %s\n", command("redrive "+l.Place+" --all"))
		}
	}
	return write(w, b.String())
}

// next prints the commands for one dead letter.
func (l Letter) next(b *strings.Builder, command Command, subs ...string) {
	for _, sub := range subs {
		sub += " " + l.Place + " " + l.ID
		if strings.HasPrefix(sub, "discard") {
			sub += ` --why "…"`
		}
		_, _ = fmt.Fprintf(b, "    %s\n", command(sub))
	}
}

func (l Listing) print(b *strings.Builder) {
	total := "?"
	if l.Total != nil {
		total = fmt.Sprint(*l.Total)
	}

	_, _ = fmt.Fprintf(b, "%s: %s\n", l.Place, total)
	if l.Error != "" {
		_, _ = fmt.Fprintf(b, "  %s\n", l.Error)
	}

	if l.Moving != nil && l.Moving.Running() {
		_, _ = fmt.Fprintf(b, "  a redrive is under way: %s\n", l.Moving)
		return
	}

	for _, x := range l.Letters {
		_, _ = fmt.Fprintf(b, "  %s  %s  receives: %d\n", x.ID, timeOf(x.SentAt), x.Receives)
		_, _ = fmt.Fprintf(b, "    about   %s%s\n", printable(x.About), x.Ride.words())
		_, _ = fmt.Fprintf(b, "    reason  %s\n", printable(cmp.Or(x.Reason, "none: SQS moved it after too many receives")))
		_, _ = fmt.Fprintf(b, "    advice  %s\n", x.Advice)
	}

	if l.Total != nil && *l.Total > len(l.Letters) {
		_, _ = fmt.Fprintf(b, "  %d more are not shown: %d at most are, somebody looks at them, or they stand behind these\n", *l.Total-len(l.Letters), Limit)
	}
}

// words says which ride it is, and how it is.
func (r *Ride) words() string {
	switch {
	case r == nil:
		return ""
	case !r.Known:
		return ", ride " + r.ID + ", whose state is not known"
	case r.State == "":
		return ", ride " + r.ID + ", which does not exist"
	}
	return fmt.Sprintf(", ride %s, which is %s", r.ID, r.State)
}

// Print prints all there is of a dead letter, with the commands that a person may run next.
func (d Detail) Print(w io.Writer, command Command, asJSON bool) error {
	if asJSON {
		return printJSON(w, d)
	}

	var b strings.Builder
	(Listing{Place: d.Place, Letters: []Letter{d.Letter}}).print(&b)
	_, text, _ := strings.Cut(b.String(), "\n")
	b.Reset()

	_, _ = fmt.Fprintf(&b, "in %s, from %s\n%s", d.Place, d.Source, text)
	for _, k := range slices.Sorted(maps.Keys(d.Attributes)) {
		_, _ = fmt.Fprintf(&b, "    attribute %s: %s\n", printable(k), printable(d.Attributes[k]))
	}

	_, _ = fmt.Fprintf(&b, "    body, %d bytes: %s\n", d.Bytes, printable(d.Body))
	for _, e := range d.History {
		_, _ = fmt.Fprintf(&b, "    %s  %-14s %s %s\n", timeOf(&e.At), e.Kind, printable(e.By), printable(string(e.Data)))
	}
	b.WriteString("  next:\n")
	d.next(&b, command, "redrive", "discard")
	return write(w, b.String())
}

// Print prints an act and what came of it.
func (a Act) Print(w io.Writer, asJSON bool) error {
	if asJSON {
		return printJSON(w, a)
	}
	return write(w, fmt.Sprintf("%s: %s: %s\n", a.Act, cmp.Or(a.Outcome, "cut off"), printable(a.Result)))
}

// PrintActs prints acts, a paragraph each: a table of them is wider than a terminal.
func PrintActs(w io.Writer, acts []Act, asJSON bool) error {
	if asJSON {
		return printJSON(w, acts)
	}

	var b strings.Builder
	for _, a := range acts {
		who := a.Who
		if !a.Verified {
			who += " (not verified)"
		}
		_, _ = fmt.Fprintf(&b, "%s  %s: %s, by %s\n", timeOf(&a.At), a.Act, cmp.Or(a.Outcome, "cut off"), printable(who))
		about := cmp.Or(a.MessageID, "all") + " of " + a.Place
		if a.RideID != "" {
			about += ", ride " + a.RideID
		}
		for _, line := range [][2]string{{"message", about}, {"why", a.Why}, {"reason", a.Reason}, {"result", a.Result}} {
			if line[1] != "" {
				_, _ = fmt.Fprintf(&b, "    %-7s %s\n", line[0], printable(line[1]))
			}
		}
	}
	if len(acts) == 0 {
		b.WriteString("Nobody has acted on a dead letter so far.\n")
	}
	return write(w, b.String())
}

// Follow prints how far a redrive of all is, once a second, until it ends.
func (t *Tool) Follow(ctx context.Context, w io.Writer, place string) error {
	for {
		moves, err := t.Moves(ctx, place)
		if err != nil || len(moves) == 0 {
			return err
		}
		if err := write(w, moves[0].String()+"\n"); err != nil || !moves[0].Running() {
			return err
		}
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
	}
}

func (m Move) String() string {
	s := fmt.Sprintf("%s: %d of about %d moved", strings.ToLower(m.Status), m.Moved, m.ToMove)
	if m.Rate > 0 {
		s += fmt.Sprintf(", at most %d a second", m.Rate)
	}
	if m.Reason != "" {
		s += ": " + m.Reason
	}
	return s
}

func timeOf(t *time.Time) string {
	if t == nil {
		return "?"
	}
	return t.UTC().Format(time.DateTime) + " UTC"
}

// printable is a text from outside without what would steer the terminal, or turn the
// order of its letters round.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, s)
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("deadletter: %w", err)
	}
	return nil
}

func write(w io.Writer, s string) error {
	if _, err := io.WriteString(w, s); err != nil {
		return fmt.Errorf("deadletter: %w", err)
	}
	return nil
}
