package location

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tandem/services/internal/httpserver"
)

// What scanPoints reads, Decode reads too, and as the same.
func FuzzScanPoints(f *testing.F) {
	for _, raw := range append(scanned, left...) {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, b []byte) { judge(t, b) })
}

func judge(t require.TestingT, b []byte) (ok bool) {
	got, ok := scanPoints(b)
	if !ok {
		return false
	}
	var want pointsRequest
	require.NoError(t, httpserver.Decode(strings.NewReader(string(b)), &want), "%s", b)
	require.Equal(t, want, got, "%s", b)

	// -0 equals 0 and is another number.
	require.Equal(t, text(t, want), text(t, got))
	return true
}

func text(t require.TestingT, v any) string {
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

var scanned = []string{
	`{}`, `{"points":[]}`, `{"driver_id":""}`, `{"driver_id":"d {[","points":[{}]}`, `{"points":[{"seq":1,"at":2,"lat":-0,"lon":-0.0}],"driver_id":"d"}`,
	`{"points":[{"seq":1795608000123,"at":1795608000123,"lat":-34.90111234567891,"lon":-56.16456781234567,"speed":8.333333333333334,"heading":271.5700000000001,"accuracy":5},{"seq":2}]}`,
	`{"points":[{"seq":-5,"at":0,"lat":123456789012345678901234567890,"lon":0.000000000000000000001}]}`,
}

var left = []string{
	``, `{`, `{}}`, `{} `, ` {}`, `[]`, `null`, `{"points":null}`, `{"points":[null]}`, `{"points":[{}`, `{"points":[{}]`, `{"points":[{},]}`, `{"points":[,{}]}`, `{"points":{}}`,
	`{"points":[[]]}`, `{"points":[{}]}{}`, `{"points":[{}],}`, `{"points":[],"points":[]}`, `{"driver_id":"a","driver_id":"b"}`, `{"Points":[]}`, `{"other":1}`, `{"driver_id":null}`,
	`{"driver_id":"\u0064"}`, `{"driver_id":"é"}`, `{"driver_id":1}`, `{"points":[{"seq":1,"seq":1}]}`, `{"points":[{"lat":1,"lat":1}]}`, `{"points":[{"SEQ":1}]}`, `{"points":[{"other":1}]}`,
	`{"points":[{"at":1,"at":1}]}`, `{"points":[{"accuracy":1,"lon":2,"accuracy":1}]}`, `{"points":[{"speed":null}]}`, `{"points":[{"seq":1.0}]}`, `{"points":[{"seq":1e3}]}`, `{"points":[{"seq":"1"}]}`,
	`{"points":[{"lat":1e2}]}`, `{"points":[{"lat":01}]}`, `{"points":[{"lat":.5}]}`, `{"points":[{"lat":5.}]}`, `{"points":[{"lat":NaN}]}`, `{"points":[{"seq":9999999999999999}]}`,
	`{"points":[{"lat":` + strings.Repeat("9", 400) + `}]}`, `{"points":` + strings.Repeat("[", 20_000),
	"{\"driver_id\":\"\x00\"}", "{\"driver_id\":\"\xff\"}",
}

func TestOnlyWhatEverybodyReadsAlikeIsScanned(t *testing.T) {
	for _, raw := range scanned {
		require.True(t, judge(t, []byte(raw)), raw)
	}
	for _, raw := range left {
		_, ok := scanPoints([]byte(raw))
		require.False(t, ok, raw)
	}
}

// What apps send is scanned: else it would be slow, and nobody would see it.
func TestBatchesAreScanned(t *testing.T) {
	degrees := rapid.Custom(func(t *rapid.T) *float64 {
		return new(float64(rapid.IntRange(1, 180).Draw(t, "degrees")) + rapid.Float64Range(0, 0.999).Draw(t, "part"))
	})
	rapid.Check(t, func(t *rapid.T) {
		known := rapid.OneOf(degrees, rapid.Just((*float64)(nil)))
		in := pointsRequest{DriverID: rapid.StringMatching(`[A-Za-z0-9_-]{0,8}`).Draw(t, "driver")}
		for range rapid.IntRange(0, 20).Draw(t, "points") {
			in.Points = append(in.Points, point{Seq: rapid.Int64Range(-1, maxSeq/10).Draw(t, "seq"), At: 1795608000123, Lat: degrees.Draw(t, "lat"), Lon: known.Draw(t, "lon"),
				Speed: known.Draw(t, "speed"), Heading: known.Draw(t, "heading"), Accuracy: known.Draw(t, "accuracy")})
		}

		// An app leaves out what it does not know; Go's null is judged by encoding/json.
		body := strings.NewReplacer(`,"lon":null`, "", `,"speed":null`, "", `,"heading":null`, "", `,"accuracy":null`, "", `null`, `[]`).Replace(text(t, in))
		require.True(t, judge(t, []byte(body)), body)
	})
}

func batch(n int) []byte {
	var points []string
	for i := range n {
		at := 1795608000123 + 1000*i
		points = append(points, fmt.Sprintf(`{"seq":%d,"at":%d,"lat":%.14f,"lon":%.14f,"speed":%.15f,"heading":%.13f,"accuracy":5}`,
			at, at, -34.9-float64(i)/7e4, -56.1-float64(i)/7e4, 8+float64(i)/7, 200+float64(i)/7))
	}
	return []byte(`{"points":[` + strings.Join(points, ",") + `]}`)
}

// The judges are what was here before, and encoding/json alone, which refuses less.
func BenchmarkReadBatch(b *testing.B) {
	for _, n := range []int{1, 10, 100} {
		raw := batch(n)
		for name, read := range map[string]func(in *pointsRequest) error{
			"here": func(in *pointsRequest) (err error) {
				var ok bool
				if *in, ok = scanPoints(raw); !ok {
					err = errors.New("not scanned")
				}
				return err
			},
			"Decode":    func(in *pointsRequest) error { return httpserver.Decode(strings.NewReader(string(raw)), in) },
			"Unmarshal": func(in *pointsRequest) error { return json.Unmarshal(raw, in) },
		} {
			b.Run(fmt.Sprint(n, "/", name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					var in pointsRequest
					if err := read(&in); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/point")
			})
		}
	}
}
