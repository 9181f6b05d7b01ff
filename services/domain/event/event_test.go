package event_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tandem/localstack"
	"tandem/services/domain/event"
)

// The golden files are what other versions and other languages read: a change
// here is a new version, never an edit.
func TestGoldenBytes(t *testing.T) {
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	p := event.Point{Driver: "d-17", Seq: 1795608000123, At: 1795608000123, Lat: -34.9058, Lon: -56.1913, Speed: new(8.5), Heading: new(271.5), Accuracy: new(5.0)}
	point, err := p.Encode()
	require.NoError(t, err)
	p.At, p.Taken = p.Seq-40, 1795608000456
	taken, err := p.Encode()
	require.NoError(t, err)
	p.At, p.Speed, p.Heading, p.Accuracy = p.Seq, nil, nil, nil
	unknown, err := p.Encode()
	require.NoError(t, err)
	request, err := event.New("0190d3e8-0000-7000-8000-000000000001", event.TypeRideRequest, at, event.RideRequest{RideID: "r-1", Attempt: 2})
	require.NoError(t, err)
	notice, err := event.New("0190d3e8-0000-7000-8000-000000000002", event.TypeRideAssigned, at,
		event.RideNotice{RideID: "r-1", RiderID: "p-1", DriverID: "d-17", Plate: "SBC 1234"})
	require.NoError(t, err)

	encode := func(v any) []byte { b, err := json.Marshal(v); require.NoError(t, err); return b }
	for file, got := range map[string][]byte{
		"point_v2.json": point, "point_v2_taken.json": taken, "point_v2_unknown.json": unknown, "ride_request_v1.json": encode(request), "ride_assigned_v1.json": encode(notice),
	} {
		want, err := os.ReadFile("testdata/" + file)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got)+"\n", file)
	}
}

// What lies on streams and among dead records in the form of before is read for ever.
func TestVersion1IsRead(t *testing.T) {
	want := event.Point{Driver: "d-17", Seq: 1795608000123, At: 1795608000123, Lat: -34.9058, Lon: -56.1913}
	read := func(file string) event.Point {
		b, err := os.ReadFile("testdata/" + file)
		require.NoError(t, err)
		p, err := event.DecodePoint("d-17", b)
		require.NoError(t, err)
		return p
	}

	measured := want
	measured.Speed, measured.Heading, measured.Accuracy = new(8.5), new(271.5), new(5.0)
	require.Equal(t, measured, read("point_v1.json"))
	measured.Taken = 1795608000456
	require.Equal(t, measured, read("point_v1_taken.json"))
	want.Taken = 1795608000456
	require.Equal(t, want, read("point_v1_unknown.json"))
}

// Order is by the record's key: a point of somebody else in it is nobody's.
func TestAPointIsItsKeys(t *testing.T) {
	for _, raw := range []string{
		`{"v":1,"driver":"e","seq":1,"at":1,"lat":1,"lon":1}`, `{"v":1,"seq":1,"at":1,"lat":1,"lon":1}`, `{"v":2,"driver":"e","seq":1,"lat":1,"lon":1}`,
	} {
		_, err := event.DecodePoint("d", []byte(raw))
		require.ErrorIs(t, err, event.ErrPoint, raw)
	}
}

func TestUnknownVersionsAreNamed(t *testing.T) {
	_, err := event.DecodePoint("d", []byte(`{"v":3,"seq":1}`))
	require.ErrorIs(t, err, event.ErrVersion)
	_, err = event.Decode([]byte(`{"id":"x","type":"ride.request","version":7}`))
	require.ErrorIs(t, err, event.ErrVersion)
}

// A point that a reader cannot keep would stop its shard, or one reader would park
// it and another keep it. So it does not decode.
func TestUnusablePoints(t *testing.T) {
	good := event.Point{Driver: "d", Seq: 1, At: 1}
	for name, spoil := range map[string]func(*event.Point){
		"no driver":  func(p *event.Point) { p.Driver = "" },
		"odd driver": func(p *event.Point) { p.Driver = "d\x00" },
		"sequence":   func(p *event.Point) { p.Seq = 1 << 62 },
		"time":       func(p *event.Point) { p.At = -1 },
		"taken":      func(p *event.Point) { p.Taken = -1 },
		"latitude":   func(p *event.Point) { p.Lat = 91 },
		"speed":      func(p *event.Point) { p.Speed = new(1e300) },
	} {
		p := good
		spoil(&p)
		b, err := p.Encode()
		require.NoError(t, err)
		_, err = event.DecodePoint(p.Driver, b)
		require.ErrorIs(t, err, event.ErrPoint, name)
	}
}

func TestPointRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := event.Point{
			Driver:  rapid.StringMatching(`[A-Za-z0-9_-]{1,64}`).Draw(t, "driver"),
			Seq:     rapid.Int64Range(1, 4e12).Draw(t, "seq"),
			At:      rapid.Int64Range(1, 4e12).Draw(t, "at"),
			Taken:   rapid.Int64Range(0, 4e12).Draw(t, "taken"),
			Lat:     rapid.Float64Range(-90, 90).Draw(t, "lat"),
			Lon:     rapid.Float64Range(-180, 180).Draw(t, "lon"),
			Speed:   rapid.Ptr(rapid.Float64Range(0, 100), true).Draw(t, "speed"),
			Heading: rapid.Ptr(rapid.Float64Range(0, 359.9), true).Draw(t, "heading"),
		}
		b, err := p.Encode()
		require.NoError(t, err)
		got, err := event.DecodePoint(p.Driver, b)
		require.NoError(t, err)
		require.Equal(t, p, got)
	})
}

// Nobody measured it, or it was measured and is 0: two things, also in records that
// were written before the members could be missing.
func TestWhatIsNotKnownStaysSo(t *testing.T) {
	for _, raw := range []string{
		`{"v":2,"seq":2,"lat":0,"lon":0}`,
		`{"v":2,"seq":2,"at":1,"lat":0,"lon":0,"speed":0,"heading":0,"accuracy":0}`,
		`{"v":2,"seq":2,"lat":0,"lon":0,"speed":3.5}`,
	} {
		p, err := event.DecodePoint("d", []byte(raw))
		require.NoError(t, err)
		b, err := p.Encode()
		require.NoError(t, err)
		require.Equal(t, raw, string(b))
	}
}

func TestMarkTellsRepeatsFromNews(t *testing.T) {
	m := event.NewMark()
	require.True(t, m.Rises("d", 5))
	require.False(t, m.Rises("d", 5), "a repeat")
	require.False(t, m.Rises("d", 4), "an older one")
	require.True(t, m.Rises("e", 1))
	require.True(t, m.Rises("d", 6))
}

func FuzzDecodePoint(f *testing.F) {
	f.Add("d", []byte(`{"v":1,"driver":"d","seq":1,"at":1,"lat":0,"lon":0}`))
	f.Add("d", []byte(`{"v":2,"seq":2,"at":1,"lat":0,"lon":0,"taken":3}`))
	f.Fuzz(func(t *testing.T, key string, b []byte) {
		if p, err := event.DecodePoint(key, b); err == nil {
			b, err := p.Encode()
			require.NoError(t, err)
			again, err := event.DecodePoint(key, b)
			require.NoError(t, err)
			if p.At == 0 {
				again.At = 0 // version 1 could say so
			}
			require.Equal(t, p, again)
		}
	})
}

func FuzzDecodeEnvelope(f *testing.F) {
	f.Add([]byte(`{"id":"x","type":"ride.request","version":1,"data":{}}`))
	f.Fuzz(func(t *testing.T, b []byte) { _, _ = event.Decode(b) })
}

// Services find queues and stream by these names: the template must deploy them.
func TestNamesAreTheTemplates(t *testing.T) {
	template := string(localstack.Messaging)

	for _, line := range []string{
		"QueueName: " + event.QueueRideRequests, "QueueName: " + event.QueueRideRequestsDead,
		"QueueName: " + event.QueueNotifications, "QueueName: " + event.QueueNotificationsDead,
		"Name: " + event.Stream,
	} {
		require.Regexp(t, `(?m)^ +`+regexp.QuoteMeta(line)+`$`, template)
	}

	counts := regexp.MustCompile(`maxReceiveCount: (\d+)`).FindAllStringSubmatch(template, -1)
	require.Len(t, counts, 3, "of each queue that has workers")
	for _, c := range counts {
		n, err := strconv.Atoi(c[1])
		require.NoError(t, err)
		require.Greater(t, n, event.Tries, "a worker needs a receive to write the reason")
	}
}

func TestValidID(t *testing.T) {
	for id, valid := range map[string]bool{
		"d": true, "D-17_x": true, strings.Repeat("a", 64): true,
		"": false, strings.Repeat("a", 65): false, "a b": false, "a/b": false, "año": false, "a\x00": false,
	} {
		require.Equal(t, valid, event.ValidID(id), "%q", id)
	}
}
