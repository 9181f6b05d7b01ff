package audit

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Report is what an audit found.
type Report struct {
	OK     bool    `json:"ok"`
	Checks []Check `json:"checks"`

	NotJudged []Unjudged `json:"not_judged"` // the verdict says nothing about these
}

// Check is one thing that was proven or found broken.
type Check struct {
	Name      string           `json:"name"`
	Guarantee int              `json:"guarantee"` // its number in docs/guarantees.md
	OK        bool             `json:"ok"`
	Detail    string           `json:"detail"` // one sentence; where broken, with examples
	Counts    map[string]int64 `json:"counts"`
}

// Count returns one count of a check, 0 where there is none.
func (r Report) Count(check, count string) int64 {
	for _, c := range r.Checks {
		if c.Name == check {
			return c.Counts[count]
		}
	}
	return 0
}

func (r *Report) add(checks ...Check) {
	r.Checks = append(r.Checks, checks...)
}

func (r *Report) finish() {
	slices.SortStableFunc(r.Checks, func(a, b Check) int { return a.Guarantee - b.Guarantee })
	r.OK = !slices.ContainsFunc(r.Checks, func(c Check) bool { return !c.OK })
}

// Print writes one line for each check and a verdict, or the report as JSON.
func (r Report) Print(w io.Writer, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}

	var b strings.Builder
	broken := 0
	for _, c := range r.Checks {
		mark := "ok    "
		if !c.OK {
			mark = "BROKEN"
			broken++
		}
		fmt.Fprintf(&b, "%s  %2d  %-22s  %s\n", mark, c.Guarantee, c.Name, c.Detail)
	}

	for _, u := range r.NotJudged {
		fmt.Fprintf(&b, "-       %2d  %-22s  %s\n", u.Guarantee, "not judged", u.Why)
	}

	if broken == 0 {
		fmt.Fprintf(&b, "audit ok: %d checks hold\n", len(r.Checks))
	} else {
		fmt.Fprintf(&b, "audit: %d of %d checks are BROKEN\n", broken, len(r.Checks))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// finding collects what a check found. The first few examples are named.
type finding struct {
	check    Check
	problems []string
	more     int
}

const maxExamples = 5

func newFinding(guarantee int, name string) *finding {
	return &finding{check: Check{Guarantee: guarantee, Name: name, Counts: map[string]int64{}}}
}

func (f *finding) count(name string, n int64) { f.check.Counts[name] += n }

func (f *finding) broken(format string, args ...any) {
	if len(f.problems) < maxExamples {
		f.problems = append(f.problems, fmt.Sprintf(format, args...))
		return
	}
	f.more++
}

// done returns the check; ok is its sentence where nothing was broken.
func (f *finding) done(ok string, args ...any) Check {
	c := f.check
	if c.OK = len(f.problems) == 0; c.OK {
		c.Detail = fmt.Sprintf(ok, args...)
		return c
	}

	c.Detail = strings.Join(f.problems, "; ")
	if f.more > 0 {
		c.Detail += fmt.Sprintf("; and %d more", f.more)
	}
	return c
}
