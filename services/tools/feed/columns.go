package feed

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// role is what a column means.
type role string

const (
	driverRole   role = "driver"
	timeRole     role = "time"
	dateRole     role = "date" // before a time without one
	latRole      role = "lat"
	lonRole      role = "lon"
	polylineRole role = "polyline"
	missingRole  role = "missing" // fixes of the polyline were left out
	validRole    role = "valid"   // the receiver had a fix

	pickupTimeRole role = "pickup_time"
	pickupLatRole  role = "pickup_lat"
	pickupLonRole  role = "pickup_lon"
	dropoffLatRole role = "dropoff_lat"
	dropoffLonRole role = "dropoff_lon"
)

// aliases are the names that columns have in the wild, without case, spaces and
// signs: of New York's taxis since 2009, Chicago, Kaggle, HIVE, Citi Bike, Porto,
// Traccar, Movebank, GTFS-RT dumps and many a spreadsheet.
var aliases = map[role][]string{
	driverRole: {"driver", "driverid", "taxiid", "taxi", "cab", "cabid", "vehicle", "vehicleid", "deviceid", "device",
		"carid", "busid", "userid", "individuallocalidentifier", "taglocalidentifier", "trackid", "imei", "mmsi", "plate"},
	timeRole: {"time", "timestamp", "datetime", "gpstime", "gpstimestamp", "fixtime", "devicetime", "recordedat",
		"timestamputc", "utc", "ts"},
	dateRole:     {"date"},
	latRole:      {"lat", "latitude", "positionlatitude", "locationlat", "gpslat", "gpslatitude"},
	lonRole:      {"lon", "lng", "long", "longitude", "positionlongitude", "locationlong", "gpslon", "gpslng", "gpslongitude"},
	polylineRole: {"polyline"},
	missingRole:  {"missingdata"},
	validRole:    {"valid"},
	pickupTimeRole: {"pickuptime", "pickupdatetime", "tpeppickupdatetime", "lpeppickupdatetime", "trippickupdatetime",
		"departuretime", "tripstarttimestamp", "starttime", "startedat"},
	pickupLatRole:  {"pickuplat", "pickuplatitude", "startlat", "startlatitude", "startstationlatitude", "olat", "pickupcentroidlatitude"},
	pickupLonRole:  {"pickuplon", "pickuplng", "pickuplongitude", "startlon", "startlng", "startlongitude", "startstationlongitude", "olon", "pickupcentroidlongitude"},
	dropoffLatRole: {"dropofflat", "dropofflatitude", "endlat", "endlatitude", "endstationlatitude", "dlat", "dropoffcentroidlatitude"},
	dropoffLonRole: {"dropofflon", "dropofflng", "dropofflongitude", "endlon", "endlng", "endlongitude", "endstationlongitude", "dlon", "dropoffcentroidlongitude"},
}

// format is what a table with these roles holds, and how its rows are read.
type format struct {
	name  string
	kind  kind
	needs []role
	row   func(r *recording, line int, get func(role) string)
}

// formats are tried in turn: the more a format needs, the earlier.
func formats() []format {
	return []format{
		{"trips", tripsKind, []role{pickupTimeRole, pickupLatRole, pickupLonRole, dropoffLatRole, dropoffLonRole}, (*recording).tripRow},
		{"traces with a fix every 15 s", pointsKind, []role{timeRole, polylineRole}, (*recording).polylineRow},
		{"points", pointsKind, []role{timeRole, latRole, lonRole}, (*recording).pointRow},
	}
}

// table says where a text's columns are.
type table struct {
	format
	sep     rune
	names   []string
	columns map[role]int
}

// resolve returns the format that the columns make, if they make any. byUser names
// the column of a role, and goes before the aliases.
func resolve(names []string, byUser map[string]string) (t table, ok bool) {
	t.names, t.columns = names, map[role]int{}
	for i, name := range names {
		for r, known := range aliases {
			if _, taken := t.columns[r]; !taken && slices.Contains(known, plain(name)) {
				t.columns[r] = i
			}
		}
	}
	for r, name := range byUser {
		i := slices.IndexFunc(names, func(n string) bool { return plain(n) == plain(name) })
		if i < 0 {
			return t, false
		}
		t.columns[role(r)] = i
	}

	for _, f := range formats() {
		if !slices.ContainsFunc(f.needs, func(r role) bool { _, has := t.columns[r]; return !has }) {
			t.format = f
			return t, true
		}
	}
	return t, false
}

// plain returns a name without case, spaces and signs.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}

// whatIsMissing says what a header has, lacks, and what would help.
func whatIsMissing(names []string, sep rune) string {
	t, _ := resolve(names, nil)
	for _, name := range names {
		if p := plain(name); strings.HasSuffix(p, "locationid") {
			return fmt.Sprintf("its columns name zones (%s), no coordinates: feed needs latitude and longitude; join the zones' centres to it first", name)
		}
	}

	f := formats()[2]
	has := []string{}
	lacks := []string{}
	for _, r := range f.needs {
		if i, ok := t.columns[r]; ok {
			has = append(has, fmt.Sprintf("%s is %q", r, names[i]))
			continue
		}
		lacks = append(lacks, string(r))
	}
	seen := fmt.Sprintf("its first line was read as %d columns, separated by %q: %q", len(names), sep, names)
	if len(has) > 0 {
		seen += "; " + strings.Join(has, ", ")
	}
	return seen + "; not found: " + strings.Join(lacks, ", ") +
		". Name them, such as --map driver=COLUMN,time=COLUMN,lat=COLUMN,lon=COLUMN, or, where the first line is no header, --columns driver,time,lat,lon with - for a column that means nothing"
}
