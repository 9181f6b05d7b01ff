package feed

import (
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// separators in the order in which they are tried. A space stands for any run of
// them.
var separators = []rune{',', ';', '\t', '|', ' '}

// headless are tables that are published without a header. One is taken if every
// line that was looked at fits it.
var headless = [][]role{
	{driverRole, timeRole, lonRole, latRole},           // T-Drive
	{driverRole, timeRole, latRole, lonRole},           // as ours, without its header
	{latRole, lonRole, "", timeRole},                   // cabspotting: driver is the file's name
	{driverRole, "", timeRole, lonRole, latRole},       // DiDi
	{latRole, lonRole, "", "", "", dateRole, timeRole}, // GeoLife, after six lines of text
	{pickupTimeRole, pickupLatRole, pickupLonRole, dropoffLatRole, dropoffLonRole},
}

// looksAt is how many lines are looked at to find out what a file is.
const looksAt = 20

// sniff finds out how the text's columns are separated and what they mean, and
// reads past its header.
func (r *recording) sniff(in *lines) (table, error) {
	var head []string
	for len(head) < looksAt {
		text, err := in.next()
		if err != nil {
			break // what cannot be read is told when it is read again
		}
		head = append(head, text)
	}
	if len(head) == 0 {
		return table{}, fmt.Errorf("%w: no line of it can be read", ErrFormat)
	}

	t, skip, err := r.layout(head)
	for _, text := range slices.Backward(head[skip:]) {
		in.unread(text)
	}
	return t, err
}

// layout returns the table that the first lines are of, and how many of them come
// before its first row.
func (r *recording) layout(head []string) (t table, skip int, err error) {
	if len(r.opts.Columns) > 0 {
		return r.named(head)
	}

	// A header may stand behind a few lines of text or comments.
	for i, text := range head[:min(10, len(head))] {
		for _, sep := range separators {
			names, err := split(text, sep)
			if err != nil || len(names) < 2 || isComment(text) {
				continue
			}
			if t, ok := resolve(names, r.opts.Map); ok {
				t.sep = sep
				return t, i + 1, nil
			}
		}
	}
	if len(r.opts.Map) > 0 {
		return table{}, 0, fmt.Errorf("%w: no line of the first %d has the columns of --map %v; %s", ErrFormat, len(head), r.opts.Map, r.seen(head))
	}

	for _, skip := range []int{0, 6} {
		if skip >= len(head) {
			break
		}
		if t, ok := r.withoutHeader(head[skip:]); ok {
			return t, skip, nil
		}
	}
	return table{}, 0, fmt.Errorf("%w: %s", ErrFormat, r.seen(head))
}

// seen says what the first line looks like.
func (r *recording) seen(head []string) string {
	text := head[0]
	if i := slices.IndexFunc(head, func(s string) bool { return !isComment(s) && strings.TrimSpace(s) != "" }); i >= 0 {
		text = head[i]
	}
	if strings.HasPrefix(text, "[") {
		return "this is JSON that begins with a list: feed takes CSV, GPX and GeoJSON"
	}

	best, names := ',', []string{text}
	for _, sep := range separators {
		if fields, err := split(text, sep); err == nil && len(fields) > len(names) {
			best, names = sep, fields
		}
	}
	return whatIsMissing(names, best)
}

// named is the table whose columns --columns names.
func (r *recording) named(head []string) (table, int, error) {
	t, ok := resolve(r.opts.Columns, r.opts.Map)
	if !ok {
		return t, 0, fmt.Errorf("%w: --columns names no format; %s", ErrFormat, whatIsMissing(r.opts.Columns, ','))
	}
	for _, sep := range separators {
		if fields, err := split(head[0], sep); err == nil && len(fields) == len(r.opts.Columns) {
			t.sep = sep
			return t, 0, nil
		}
	}
	return t, 0, fmt.Errorf("%w: --columns names %d columns, which no separator makes of the first line: %q", ErrFormat, len(r.opts.Columns), head[0])
}

// withoutHeader returns the only table that all rows fit.
func (r *recording) withoutHeader(rows []string) (found table, ok bool) {
	fits := 0
	for _, sep := range separators {
		for _, roles := range headless {
			names := make([]string, len(roles))
			for i, x := range roles {
				names[i] = string(x)
			}
			t, known := resolve(names, nil)
			t.sep = sep
			if known && r.fit(t, rows) {
				found = t
				fits++
			}
		}
	}
	return found, fits == 1
}

// fit reports whether every row can be read as one of t.
func (r *recording) fit(t table, rows []string) bool {
	trial := &recording{opts: r.opts, name: r.name, table: t, known: map[string]int32{}}
	for _, text := range rows {
		fields, err := split(text, t.sep)
		if strings.TrimSpace(text) == "" {
			continue
		}
		if err != nil || len(fields) != len(t.names) {
			return false
		}
		trial.row(1, fields)
	}
	return len(trial.refused) == 0
}

func isComment(text string) bool { return strings.HasPrefix(text, "#") }

// split returns a line's fields.
func split(text string, sep rune) ([]string, error) {
	if sep == ' ' {
		return strings.Fields(text), nil
	}
	if !strings.Contains(text, `"`) {
		fields := strings.Split(text, string(sep))
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
		}
		return fields, nil
	}

	c := csv.NewReader(strings.NewReader(text))
	c.Comma, c.TrimLeadingSpace = sep, true
	fields, err := c.Read()
	if err != nil {
		return nil, fmt.Errorf("not CSV: %w", errors.Unwrap(err))
	}
	return fields, nil
}
