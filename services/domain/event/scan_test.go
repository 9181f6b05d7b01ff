package event

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// What scan reads, encoding/json reads too, and as the same.
func FuzzScan(f *testing.F) {
	for _, raw := range odd {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, b []byte) { judge(t, b) })
}

func judge(t require.TestingT, b []byte) (scanned bool) {
	got, ok := scan(b)
	if !ok {
		return false
	}
	var want wire
	require.NoError(t, json.Unmarshal(b, &want), "%s", b)
	require.Equal(t, want, got, "%s", b)

	// -0 equals 0 and is another number.
	text, err := json.Marshal(got)
	require.NoError(t, err)
	wanted, err := json.Marshal(want)
	require.NoError(t, err)
	require.Equal(t, string(wanted), string(text))
	return true
}

var odd = []string{
	`{}`, `{"v":2}`, `{"v":2,"lat":-0,"lon":-0.0}`, `{"v":2,"speed":1,"speed":2}`, `{"v":2,"driver":"~ !"}`, `{"v":1,"driver":""}`,
	`{"lat":0.00000000000001,"lon":999999999999999}`, `{"lat":123456789.123456}`, `{"seq":-999999999999999}`,
	`{"lat":0.1234567890123456,"lon":-56.16455550000001}`, `{"lat":9007199254740993,"lon":123456789012345678901234567890}`,
}

func TestWhatIsNoJSONIsNotScanned(t *testing.T) {
	for _, raw := range odd {
		require.True(t, judge(t, []byte(raw)), raw)
	}
	for _, raw := range []string{
		``, `{`, `{"v":2`, `{"v":2}}`, `{"v":2} `, ` {"v":2}`, `{"v":2,}`, `{,"v":2}`, `{"v" :2}`, `{"v":02}`, `{"v":-}`, `{"v":2.0}`, `{"v":2e0}`,
		`{"lat":1.}`, `{"lat":.5}`, `{"lat":00.5}`, `{"lat":1e5}`, `{"lat":"1"}`, `{"lat":null}`, `{"lat":1 }`, `{"V":2}`, `{"other":2}`,
		`{"driver":"\u0064"}`, `{"driver":"é"}`, "{\"driver\":\"\x00\"}", `{"driver":"d}`, `{"driver":d}`, `{"seq":1234567890123456}`, `{"lat":0.1234567890123456e1}`,
		`{"seq":99999999999999999999999999}`, `[]`, `null`,
	} {
		_, ok := scan([]byte(raw))
		require.False(t, ok, raw)
	}
}

// All that this build and the one before write is scanned: else it would be slow, and
// nobody would see it.
func TestPointsAreScanned(t *testing.T) {
	files, err := filepath.Glob("testdata/point_v*.json")
	require.NoError(t, err)
	require.Len(t, files, 6)
	for _, file := range files {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		require.True(t, judge(t, b[:len(b)-1]), file)
	}

	rapid.Check(t, func(t *rapid.T) {
		hundredths := func(most int, name string) *float64 {
			return rapid.Ptr(rapid.Map(rapid.IntRange(0, most*100), func(n int) float64 { return float64(n) / 100 }), true).Draw(t, name)
		}
		p := Point{
			Driver: "d", Seq: rapid.Int64Range(1, maxTime-1).Draw(t, "seq"), At: rapid.Int64Range(1, maxTime-1).Draw(t, "at"), Taken: rapid.Int64Range(0, maxTime-1).Draw(t, "taken"),
			Lat: float64(rapid.Int64Range(-9e8, 9e8).Draw(t, "lat")) / 1e7, Lon: float64(rapid.Int64Range(-18e8, 18e8).Draw(t, "lon")) / 1e7,
			Speed: hundredths(100, "speed"), Heading: hundredths(359, "heading"), Accuracy: hundredths(10_000, "accuracy"),
		}
		b, err := p.Encode()
		require.NoError(t, err)
		// encoding/json writes 0.0000001 as 1e-07: within a metre of the equator it decides.
		scanned := judge(t, b)
		require.True(t, scanned || small(p.Lat) || small(p.Lon), "%s", b)
	})
}

func small(x float64) bool { return x > -1e-6 && x < 1e-6 }

func BenchmarkDecodePoint(b *testing.B) {
	raw := []byte(`{"v":2,"seq":1795608000123,"lat":-34.9011123,"lon":-56.1645678,"speed":8.33,"heading":271.57,"accuracy":5,"taken":1795608000456}`)
	for name, decode := range map[string]func() error{
		"here":          func() error { _, err := DecodePoint("d-17", raw); return err },
		"encoding/json": func() error { var w wire; return json.Unmarshal(raw, &w) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := decode(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
