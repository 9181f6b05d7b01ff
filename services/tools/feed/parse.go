package feed

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"tandem/services/domain/geo"
)

// kind is what a recording consists of.
type kind int

const (
	pointsKind kind = iota
	tripsKind
)

// fix is one recorded point, in 32 bytes without a pointer: a file has millions.
type fix struct {
	at     int64 // ms since 1970 UTC
	pos    geo.Point
	driver int32 // its place in recording.drivers
	line   int32
}

// trip is one recorded ride.
type trip struct {
	line            int
	at              time.Time
	pickup, dropoff geo.Point
}

// Reading says how a file is to be understood where feed cannot find it out.
type Reading struct {
	Map        map[string]string // role to the name of its column
	Columns    []string          // the names of columns, where the file has no header
	Driver     string            // of all points; empty: a column, or the file's name
	Zone       *time.Location    // of times without an offset; nil: UTC
	TimeFormat string            // Go's layout, or s, ms, us, ns, excel; empty: found out
	From, To   time.Time         // only what was recorded from From on, and before To; zero: all
}

// within reports whether the caller wants what was recorded at t.
func (o Reading) within(t time.Time) bool {
	return (o.From.IsZero() || !t.Before(o.From)) && (o.To.IsZero() || t.Before(o.To))
}

// recording is a file that was read.
type recording struct {
	opts   Reading
	name   string // the file's, without folder and endings
	format string // what it was taken for
	table
	drivers []string         // as recorded, each once
	known   map[string]int32 // their places

	file    *counted // how much of it was read
	hash    string   // first 10 hex digits of the SHA-256 of what was in the file
	lines   int      // data lines, without the header
	points  int      // points read, refused ones among them
	outside int      // points and trips that were recorded at other times than asked for
	fixes   []fix
	trips   []trip
	refused []Refusal
}

// ErrFormat is wrapped when a file is in no format that feed knows.
var ErrFormat = errors.New("feed: the format is not known")

// read reads a whole recording.
func read(file *counted, opts Reading) (*recording, error) {
	// All the points of a file are in memory and stay there, so that more frequent
	// collections cost little and the process needs half as much.
	defer debug.SetGCPercent(debug.SetGCPercent(25))

	name, _, _ := strings.Cut(filepath.Base(file.path), ".")
	r := &recording{opts: opts, name: name, file: file, known: map[string]int32{}}
	sum := sha256.New()
	in, err := unpacked(file)
	if err == nil {
		err = r.readText(io.TeeReader(in, sum))
	}
	if err != nil {
		return nil, fmt.Errorf("feed: %s: %w", file.path, err)
	}

	r.hash = hex.EncodeToString(sum.Sum(nil))[:10]
	r.order()
	return r, nil
}

func (r *recording) readText(in io.Reader) error {
	text, err := decoded(in)
	if err != nil {
		return err
	}
	if head, _ := text.Peek(len(bom)); string(head) == bom {
		_, _ = text.Discard(len(bom))
	}

	readAll := r.readTable
	switch head, _ := text.Peek(512); {
	case bytes.HasPrefix(head, []byte("<?xml")), bytes.Contains(head, []byte("<gpx")):
		readAll = r.readGPX
	case bytes.HasPrefix(bytes.TrimSpace(head), []byte("{")):
		readAll = r.readGeoJSON
	}
	if err := readAll(text); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, text) // the hash is of the whole file
	return err
}

func (r *recording) readTable(text *bufio.Reader) (err error) {
	l := newLines(text)
	if r.table, err = r.sniff(l); err != nil {
		return err
	}
	r.format = fmt.Sprintf("%s, separated by %q", r.table.name, r.sep)
	for {
		fields, line, err := r.record(l)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errRecord):
			r.lines++
			r.refuse(line, "", strings.TrimPrefix(err.Error(), errRecord.Error()+": "))
		case err != nil:
			return err
		default:
			r.lines++
			r.row(line, fields)
		}
	}
}

var errRecord = errors.New("a line cannot be read")

// joins is how many lines a quoted text may span.
const joins = 10

// record returns the fields of the next row and the number of its first line. A
// row is a line, unless a quote that it opens is closed in one of the next: so a
// broken quote harms no other row.
func (r *recording) record(in *lines) (fields []string, line int, err error) {
	text, err := in.next()
	for err == nil && (strings.TrimSpace(text) == "" || isComment(text)) {
		text, err = in.next()
	}
	line = in.n
	if errors.Is(err, errLongLine) {
		return nil, line, fmt.Errorf("%w: %w", errRecord, err)
	}
	if err != nil {
		return nil, line, err
	}

	fields, err = split(text, r.sep)
	if err == nil {
		return fields, line, nil
	}
	broken := fmt.Errorf("%w: %w", errRecord, err)
	if !errors.Is(err, csv.ErrQuote) {
		return nil, line, broken
	}

	var more []string
	for range joins {
		next, err := in.next()
		if err != nil {
			break
		}
		more = append(more, next)
		joined, err := split(text+"\n"+strings.Join(more, "\n"), r.sep)
		if err == nil && len(joined) == len(r.names) {
			return joined, line, nil
		}
	}
	for _, text := range slices.Backward(more) {
		in.unread(text)
	}
	return nil, line, broken
}

// row reads one row of the table.
func (r *recording) row(line int, fields []string) {
	width := len(r.names)
	if len(fields) > width && !slices.ContainsFunc(fields[width:], func(s string) bool { return strings.TrimSpace(s) != "" }) {
		fields = fields[:width] // surplus separators at the end say nothing
	}
	if len(fields) != width {
		r.refuse(line, "", fmt.Sprintf("the line has %d columns, the header %d", len(fields), width))
		return
	}

	r.table.row(r, line, func(x role) string {
		i, ok := r.columns[x]
		if !ok {
			return ""
		}
		return strings.TrimSpace(fields[i])
	})
}

// order merges each driver's trips by time and refuses what cannot follow the
// point before.
func (r *recording) order() {
	slices.SortStableFunc(r.fixes, func(a, b fix) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(r.drivers[a.driver], r.drivers[b.driver]))
	})
	slices.SortStableFunc(r.trips, func(a, b trip) int { return a.at.Compare(b.at) })

	// A point's time is its sequence: of two with one time, the second would be
	// taken for a repeat of the first, silently.
	last := map[int32]fix{}
	r.fixes = slices.DeleteFunc(r.fixes, func(f fix) bool {
		if before, ok := last[f.driver]; ok {
			if why := whyNotAfter(before, f); why != "" {
				r.refuse(int(f.line), r.drivers[f.driver], why)
				return true
			}
		}
		last[f.driver] = f
		return false
	})
}

func (r *recording) refuse(line int, driver, reason string) {
	r.refused = append(r.refused, Refusal{Line: line, Driver: driver, Reason: reason})
}
