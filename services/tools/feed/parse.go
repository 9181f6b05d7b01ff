package feed

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
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

// fix is one recorded point.
type fix struct {
	driver string // as recorded
	at     int64  // ms since 1970 UTC
	pos    geo.Point
	line   int
}

// trip is one recorded ride.
type trip struct {
	line            int
	at              time.Time
	pickup, dropoff geo.Point
}

// recording is a file that was read.
type recording struct {
	hash    string // first 10 hex digits of the file's SHA-256
	kind    kind
	lines   int // data lines, without the header
	points  int // points read, refused ones among them
	fixes   []fix
	trips   []trip
	refused []Refusal
}

// ErrFormat is wrapped when the header names no format that feed knows.
var ErrFormat = errors.New("feed: the format is not known")

const maxLine = 16 << 20

const knownFormats = `it takes files whose first line has
  TRIP_ID,…,TAXI_ID,TIMESTAMP,…,POLYLINE          GPS traces, a fix every 15 s
  pickup_time,…,pickup_lat,pickup_lon,dropoff_lat,dropoff_lon   trips
  driver,time,lat,lon                             GPS points; time in RFC 3339, "2006-01-02 15:04:05" (UTC) or Unix seconds`

// read reads a whole recording.
func read(path string) (*recording, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("feed: %w", err)
	}
	defer func() { _ = f.Close() }()

	sum := sha256.New()
	in := bufio.NewReaderSize(io.TeeReader(f, sum), 1<<20)
	header, err := readLine(in)
	if err != nil {
		return nil, fmt.Errorf("feed: %s is empty", path)
	}

	r := &recording{}
	parse, err := r.format(header)
	if err != nil {
		return nil, fmt.Errorf("%w: %s; %s", err, path, knownFormats)
	}

	for line := 2; ; line++ {
		text, err := readLine(in)
		if errors.Is(err, io.EOF) {
			break
		}
		if errors.Is(err, errLongLine) {
			r.lines++
			r.refuse(line, "", err.Error())
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("feed: read %s: %w", path, err)
		}

		r.lines++
		fields, err := splitLine(text)
		if err != nil {
			r.refuse(line, "", err.Error())
			continue
		}
		parse(line, fields)
	}

	r.hash = hex.EncodeToString(sum.Sum(nil))[:10]
	r.order()
	return r, nil
}

var errLongLine = fmt.Errorf("the line is longer than %d bytes", maxLine)

// readLine returns one line without its end. A line is a record: a broken quote
// harms no other line.
func readLine(in *bufio.Reader) (string, error) {
	var b strings.Builder
	for {
		part, err := in.ReadSlice('\n')

		// A line that is too long is read to its end, so that the next one is found,
		// but not kept.
		if b.Len() <= maxLine {
			b.Write(part)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && b.Len() > 0:
		case err != nil:
			return "", err
		}

		if b.Len() > maxLine {
			return "", errLongLine
		}
		return strings.TrimRight(strings.TrimPrefix(b.String(), "\ufeff"), "\r\n"), nil
	}
}

func splitLine(text string) ([]string, error) {
	if strings.TrimSpace(text) == "" {
		return nil, errors.New("the line is empty")
	}
	c := csv.NewReader(strings.NewReader(text))
	fields, err := c.Read()
	if err != nil {
		return nil, fmt.Errorf("not CSV: %w", errors.Unwrap(err))
	}
	return fields, nil
}

// format picks the parser by the header's columns.
func (r *recording) format(header string) (parse func(line int, fields []string), err error) {
	names, err := splitLine(header)
	if err != nil {
		return nil, ErrFormat
	}
	col := map[string]int{}
	for i, n := range names {
		col[strings.ToLower(strings.TrimSpace(n))] = i
	}

	has := func(want ...string) bool {
		return !slices.ContainsFunc(want, func(w string) bool { _, ok := col[w]; return !ok })
	}
	width := len(names)
	get := func(fields []string, name string) string { return strings.TrimSpace(fields[col[name]]) }
	checked := func(parse func(line int, fields []string)) func(int, []string) {
		return func(line int, fields []string) {
			if len(fields) != width {
				r.refuse(line, "", fmt.Sprintf("the line has %d columns, the header %d", len(fields), width))
				return
			}
			parse(line, fields)
		}
	}

	switch {
	case has("taxi_id", "timestamp", "polyline"):
		return checked(func(line int, f []string) {
			r.polyline(line, get(f, "taxi_id"), get(f, "timestamp"), get(f, "polyline"))
		}), nil
	case has("pickup_time", "pickup_lat", "pickup_lon", "dropoff_lat", "dropoff_lon"):
		r.kind = tripsKind
		return checked(func(line int, f []string) {
			r.trip(line, get(f, "pickup_time"), [4]string{get(f, "pickup_lat"), get(f, "pickup_lon"), get(f, "dropoff_lat"), get(f, "dropoff_lon")})
		}), nil
	case has("driver", "time", "lat", "lon"):
		return checked(func(line int, f []string) {
			r.point(line, get(f, "driver"), get(f, "time"), get(f, "lat"), get(f, "lon"))
		}), nil
	}
	return nil, ErrFormat
}

// order merges each driver's trips by time and refuses points of equal time.
func (r *recording) order() {
	slices.SortStableFunc(r.fixes, func(a, b fix) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.driver, b.driver))
	})
	slices.SortStableFunc(r.trips, func(a, b trip) int { return a.at.Compare(b.at) })

	// A point's time is its sequence: of two with one time, the second would be
	// taken for a repeat of the first, silently.
	last := map[string]fix{}
	r.fixes = slices.DeleteFunc(r.fixes, func(f fix) bool {
		before, ok := last[f.driver]
		if ok && before.at == f.at {
			r.refuse(f.line, f.driver, fmt.Sprintf("another point of this driver has the same time (line %d)", before.line))
			return true
		}
		last[f.driver] = f
		return false
	})
}

func (r *recording) refuse(line int, driver, reason string) {
	r.refused = append(r.refused, Refusal{Line: line, Driver: driver, Reason: reason})
}
