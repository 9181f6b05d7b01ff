package feed

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// clock reads recorded times.
type clock struct {
	zone   *time.Location // of times without an offset
	format string         // Go's layout, or a unit of numbers; empty: found out
}

// layouts are the times that mean the same to everybody. A fraction of a second is
// taken after any of them.
var layouts = []string{
	time.RFC3339, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00",
	"2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05Z0700", "2006-01-02 15:04:05 Z0700", "2006-01-02 15:04:05 UTC",
	"2006-01-02T15:04:05Z07", "2006-01-02 15:04:05Z07",
	"2006/01/02 15:04:05", "2006-01-02 15:04", "2006/01/02 15:04", "20060102150405", "20060102T150405Z07:00",
	"01/02/2006 03:04:05 PM", "01/02/2006 03:04 PM", // only the United States write the day in the middle, with AM and PM
	"02.01.2006 15:04:05", "02.01.2006 15:04",
}

// units of numbers since 1970. The times of 1980 to 2100 do not overlap.
var units = []struct {
	name  string
	in    int64 // units in a second
	first float64
}{{"s", 1, gpsEpoch}, {"ms", 1e3, gpsEpoch * 1e3}, {"us", 1e6, gpsEpoch * 1e6}, {"ns", 1e9, gpsEpoch * 1e9}}

const (
	gpsEpoch = 315_964_800   // 1980-01-06: before it, nobody had a fix
	lastTime = 4_102_444_800 // 2100-01-01
	// Excel counts days from 1899-12-30, so 1970 is its day 25,569.
	excelEpoch = 25_569
)

func (c clock) parse(s string) (time.Time, error) {
	if c.format != "" {
		return c.parseAs(s)
	}
	if x, err := strconv.ParseFloat(s, 64); err == nil && len(s) != len("20060102150405") {
		return number(s, x)
	}

	zone := c.zone
	if zone == nil {
		zone = time.UTC
	}
	for _, layout := range layouts {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return checkTime(t, s)
		}
	}
	if strings.Contains(s, "/") {
		return time.Time{}, fmt.Errorf(`time %q: which is the day, which the month? Say so with --time-format "01/02/2006 15:04" (month first) or "02/01/2006 15:04"`, s)
	}
	return time.Time{}, fmt.Errorf(`time %q is neither RFC 3339, "2006-01-02 15:04:05" nor a Unix time; --time-format says how to read it`, s)
}

// number reads a time since 1970, whose size tells the unit.
func number(s string, x float64) (time.Time, error) {
	if strings.ContainsAny(s, "eE") {
		return time.Time{}, fmt.Errorf("time %q was rounded by a spreadsheet: export the column as a whole number", s)
	}
	for _, u := range units {
		if x >= u.first && x < lastTime*float64(u.in) {
			return since1970(s, x, u.in), nil
		}
	}
	if x > 20_000 && x < 80_000 {
		return time.Time{}, fmt.Errorf("time %q looks like Excel's days: --time-format excel reads them", s)
	}
	return time.Time{}, fmt.Errorf("time %q is no Unix time between 1980 and 2100, in s, ms, µs or ns", s)
}

// since1970 goes by the digits where it can: a float has too few for ns.
func since1970(s string, x float64, in int64) time.Time {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.Unix(n/in, n%in*(1e9/in)).UTC()
	}
	return time.UnixMilli(int64(math.Round(x * 1000 / float64(in)))).UTC()
}

// ParseTime reads a time, or a day, as a person writes it; zone is that of a time
// without an offset.
func ParseTime(s string, zone *time.Location) (time.Time, error) {
	if day, err := time.ParseInLocation(time.DateOnly, s, zone); err == nil {
		return day, nil
	}
	return clock{zone: zone}.parse(s)
}

// parseAs reads a time in the format that the caller named.
func (c clock) parseAs(s string) (time.Time, error) {
	x, err := strconv.ParseFloat(s, 64)
	if c.format == "excel" && err == nil {
		return checkTime(time.UnixMilli(int64(math.Round((x-excelEpoch)*86_400))*1000), s)
	}
	for _, u := range units {
		if c.format == u.name && err == nil {
			return checkTime(since1970(s, x, u.in), s)
		}
	}

	zone := c.zone
	if zone == nil {
		zone = time.UTC
	}
	t, err := time.ParseInLocation(c.format, s, zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("time %q is not of the format %q", s, c.format)
	}
	return checkTime(t, s)
}

func checkTime(t time.Time, s string) (time.Time, error) {
	if t.Unix() < gpsEpoch || t.Unix() >= lastTime {
		return time.Time{}, fmt.Errorf("time %q is %s: a fix is from between 1980 and 2100", s, t.UTC().Format(time.DateOnly))
	}
	return t.UTC(), nil
}
