package history

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/domain/geo"
	"tandem/services/domain/points"
	"tandem/services/internal/auth"
	"tandem/services/test/apitest"
	"tandem/services/test/pointstest"
)

// shown is a point of a page as both forms have it.
type shown struct {
	Driver         string
	Seq, At        int64
	Lat, Lon       int32 // × 1e7
	Speed, Heading int32 // × 100; -1: not known
	Arrived        int64
}

// player asks for pages in both forms, which have to be the same.
func player(t *testing.T, s *store) func(query string) ([]shown, string) {
	api := apitest.Serve(t, pointstest.Signer(t), routes(s))
	token, err := api.Signer.Sign(auth.Identity{Subject: "ops", Role: auth.Admin}, time.Hour)
	require.NoError(t, err)
	get := func(query, accept string) []byte {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, api.Base+"/v1/playback?"+query, nil)
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Accept", accept)
		resp, err := api.RoundTrip(req)
		require.NoError(t, err)
		defer func() { _ = resp.Body.Close() }()
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, resp.StatusCode, "%s: %s", query, b)
		return b
	}

	return func(query string) ([]shown, string) {
		binaryPage, binaryNext, err := decodePlayback(get(query, "*/*"))
		require.NoError(t, err)
		readable, goesOn := readJSON(t, get(query, "application/json"))
		require.Equal(t, readable, binaryPage)
		require.Equal(t, goesOn, binaryNext)
		return binaryPage, binaryNext
	}
}

func readJSON(t *testing.T, b []byte) (page []shown, next string) {
	var answer struct {
		Points []struct {
			Driver   string `json:"driver_id"`
			Seq      int64  `json:"seq"`
			At       time.Time
			Arrived  time.Time `json:"arrived_at"`
			Lat, Lon float64
			Speed    *float64
			Heading  *float64
		}
		Next string
	}
	require.NoError(t, json.Unmarshal(b, &answer))
	hundredths := func(x *float64) int32 {
		if x == nil {
			return -1
		}
		return int32(math.Round(*x * 100))
	}
	for _, p := range answer.Points {
		page = append(page, shown{p.Driver, p.Seq, p.At.UnixMilli(), fixed(p.Lat), fixed(p.Lon), hundredths(p.Speed), hundredths(p.Heading), p.Arrived.UnixMilli()})
	}
	return page, answer.Next
}

func fixed(degrees float64) int32 { return int32(math.Round(degrees * 1e7)) }

var errShort = errors.New("a page of playback ends too soon, or too late")

// decodePlayback reads a page by its layout in doc.go.
func decodePlayback(b []byte) (page []shown, next string, err error) {
	if len(b) < 16 || b[0] != 1 || b[1] != 3 {
		return nil, "", errors.New("it is no page of playback, version 1")
	}
	u32 := func(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
	f64 := func(b []byte) int64 { return int64(math.Float64frombits(binary.LittleEndian.Uint64(b))) }
	drivers, n, base, rest := int(binary.LittleEndian.Uint16(b[2:])), int(u32(b[4:])), f64(b[8:]), b[16:]
	if len(rest)/40 < n {
		return nil, "", errShort
	}

	texts, numbers := rest[40*n:], []uint32{}
	for v := rest[:40*n]; len(v) > 0; v = v[40:] {
		p := shown{
			Seq: f64(v[32:]), At: f64(v[16:]), Lat: int32(u32(v[4:])), Lon: int32(u32(v[8:])),
			Speed: int32(binary.LittleEndian.Uint16(v[12:])), Heading: int32(binary.LittleEndian.Uint16(v[14:])), Arrived: base + int64(u32(v[24:])),
		}
		if u32(v[28:])&1 != 0 {
			p.Speed = -1
		}
		if u32(v[28:])&2 != 0 {
			p.Heading = -1
		}
		page, numbers = append(page, p), append(numbers, u32(v))
	}

	names := []string{}
	for range drivers + 1 {
		if len(texts) == 0 || len(texts) < 1+int(texts[0]) {
			return nil, "", errShort
		}
		names, texts = append(names, string(texts[1:1+texts[0]])), texts[1+texts[0]:]
	}
	if len(texts) > 0 {
		return nil, "", errShort
	}
	for i, number := range numbers {
		if int(number) >= drivers {
			return nil, "", errors.New("a point names no driver of the list")
		}
		page[i].Driver = names[number]
	}
	return page, names[drivers], nil
}

// A page's points are the rows of the viewport and the span, in order, and pages of any
// size are one page.
func TestPlaybackIsWhatArrivedInViewportAndSpan(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	s := newStore(pool)
	isApplied(s, time.Now().Add(time.Hour))
	random := rand.New(rand.NewPCG(1, 2))
	began := time.Now().Add(-100 * time.Minute).Truncate(time.Millisecond)

	add := func(n int, since, until time.Time, drivers ...string) (batch []points.Arrival) {
		for range n {
			// Few times, so that many points arrive at the same one.
			arrived := since.Add(time.Duration(random.IntN(4_000)) * until.Sub(since) / 4_000).Truncate(time.Millisecond)
			p := event.Point{
				Driver: drivers[random.IntN(len(drivers))], Seq: arrived.UnixMilli() + random.Int64N(3_600_000) - 1_800_000, At: arrived.UnixMilli() - random.Int64N(5_000),
				Lat: float64(random.IntN(2_000_001)-1_000_000) / 1e7, Lon: float64(random.IntN(4_000_001)-2_000_000)/1e7 + 180,
			}
			if p.Lon > 180 {
				p.Lon -= 360
			}
			if random.IntN(2) == 0 {
				p.Speed, p.Heading = new(float64(random.IntN(8_000))/100), new(float64(random.IntN(36_000))/100)
			}
			batch = append(batch, points.Arrival{Point: p, Arrived: arrived, Shard: "0", Rises: true})
		}
		return batch
	}
	rows := add(2_000, began, began.Add(90*time.Minute), "d1", "d2", "d3", "D-4", "d_5")
	apply(t, s, append(slices.Clone(rows), add(500, began, began.Add(90*time.Minute), "gone")...)...)
	_, err := Forget(t.Context(), pool, "gone", func(pgx.Tx) error { return nil }) // its rows are still there
	require.NoError(t, err)
	again := add(50, time.Now().Add(time.Second), time.Now().Add(time.Minute), "gone") // is a new driver
	for i := range again {
		again[i].Seq = time.Now().Add(time.Hour).UnixMilli() + int64(i)
	}
	apply(t, s, again...)
	rows = append(rows, again...)
	play := player(t, s)

	seen := 0
	for i := range 10 {
		from := began.Add(time.Duration(random.IntN(60)) * time.Minute)
		to := from.Add(time.Duration(random.Int64N(int64(time.Hour))).Truncate(time.Millisecond))
		box := geo.Box{West: 179.8 + 0.2*random.Float64(), South: -0.1 + 0.1*random.Float64(), East: -180 + 0.2*random.Float64(), North: 0.1 * random.Float64()}
		if i%3 == 0 {
			box.East = 180
		}
		everywhere := geo.Box{West: -180, South: -90, East: 180, North: 90}
		step := []int{0, 0, 0, 7, 60}[i%5]
		if i == 0 {
			from, to, step, box = time.Now().Add(-time.Minute).Truncate(time.Millisecond), time.Now().Add(5*time.Minute), 0, everywhere
		}
		if step > 0 { // many points in each
			box = everywhere
		}

		want := wanted(rows, box, from, to, time.Duration(step)*time.Second)
		query := fmt.Sprintf("box=%v,%v,%v,%v&from=%d&to=%d", box.West, box.South, box.East, box.North, from.UnixMilli(), to.UnixMilli())
		if step > 0 {
			query += fmt.Sprint("&step=", step)
		}
		all, next := play(query)
		require.Equal(t, want, all, query)
		require.Empty(t, next)
		seen += len(all)

		// By number of points, and by time: each page is of one slice.
		s.playWithin = []time.Duration{0, time.Hour}[i%2]
		require.Equal(t, want, inPages(t, play, query, 40+random.IntN(100)), query)
		s.playWithin = playWithin

		// While history is behind, a page ends where it stands, and the rest comes later.
		if reached := from.Add(time.Duration(random.Int64N(int64(to.Sub(from))))).Truncate(time.Millisecond); i%2 == 1 {
			isApplied(s, reached)
			first, next := play(query)
			require.Equal(t, wanted(rows, box, from, reached, time.Duration(step)*time.Second), first, query)
			require.NotEmpty(t, next)
			isApplied(s, to)
			rest, next := play(query + "&after=" + next)
			require.Equal(t, want, append(first, rest...), query)
			require.Empty(t, next)
			isApplied(s, time.Now().Add(time.Hour))
		}
	}
	require.Greater(t, seen, 1_000)
}

func isApplied(s *store, to time.Time) {
	s.applied = func(context.Context) (time.Time, error) { return to, nil }
}

// The bytes that web/src/api/playback.test.ts reads as well.
func TestAPageIsAsTheWebAppKnowsIt(t *testing.T) {
	golden, err := os.ReadFile("../../web/src/api/playback.golden.hex")
	require.NoError(t, err)

	from := time.UnixMilli(1_800_000_000_000)
	arrived := func(ms int) fixTime { return fixTime(from.Add(time.Duration(ms) * time.Millisecond)) }
	at := func(ms int) fixTime { return arrived(ms - 87) }
	page := []played{
		{point{Driver: "d-017", Seq: 1_799_999_999_913, At: at(0), Lat: -34.9066, Lon: -56.1997, Speed: new(float32(12.34)), Heading: new(float32(359.99))}, arrived(0)},
		{point{Driver: "sim_1-d-0002", Seq: 7, At: at(1250), Lat: 41.1496, Lon: -8.6109}, arrived(1250)},
		{point{Driver: "d-017", Seq: 1_800_000_003_599, At: at(3_600_000), Lat: -34.9067, Lon: -56.2, Speed: new(float32(0)), Heading: new(float32(0))}, arrived(3_600_000)},
	}
	require.Equal(t, strings.Join(strings.Fields(string(golden)), ""), hex.EncodeToString(encodePlayback(from, page, "1800003600000000.1800000003599.d-017")))
}

// Where no reader has begun nothing is known, which is no quiet city.
func TestPlaybackOfAStreamThatNobodyReads(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	page, next := player(t, newStore(pool))(fmt.Sprintf("box=-57,-35,-56,-34&from=%d&to=%d", time.Now().Add(-time.Hour).UnixMilli(), time.Now().UnixMilli()))
	require.Empty(t, page)
	require.NotEmpty(t, next)
}

// A point may be readable a moment after its stamp, and the reader's clock may be ahead:
// what arrived just before the reader's place may still come.
func TestPlaybackLeavesTimeForClocks(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	play, known := player(t, newStore(pool)), time.Now().Add(-time.Minute).Truncate(time.Millisecond)
	for _, sql := range []string{
		`INSERT INTO shardgroup.streams (group_name, generation, arn, created_at) VALUES ('history', 1, 'arn', '2026-01-01')`,
		`INSERT INTO shardgroup.leases (stream_id, shard, since) SELECT id, 's', '2026-01-01' FROM shardgroup.streams`,
		fmt.Sprintf(`INSERT INTO shardgroup.checkpoints SELECT id, 's', '1', 0, '2026-01-01', '%s' FROM shardgroup.streams`, known.Format(time.RFC3339Nano)),
	} {
		_, err := pool.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	query := func(to time.Time) string {
		return fmt.Sprintf("box=-57,-35,-56,-34&from=%d&to=%d", known.Add(-time.Minute).UnixMilli(), to.UnixMilli())
	}

	_, next := play(query(known.Add(-time.Second)))
	require.Empty(t, next)
	_, next = play(query(known.Add(-300 * time.Millisecond)))
	require.NotEmpty(t, next)
}

func inPages(t *testing.T, play func(string) ([]shown, string), query string, limit int) (all []shown) {
	query += fmt.Sprint("&limit=", limit)
	page, next := play(query)
	for all = page; next != ""; all = append(all, page...) {
		page, next = play(query + "&after=" + next)
		require.LessOrEqual(t, len(page), limit)
	}
	return all
}

// wanted is what playback should show of rows.
func wanted(rows []points.Arrival, box geo.Box, from, to time.Time, step time.Duration) (out []shown) {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b points.Arrival) int {
		return cmp.Or(a.Arrived.Compare(b.Arrived), cmp.Compare(a.Driver, b.Driver), cmp.Compare(a.Seq, b.Seq))
	})
	hundredths := func(x *float64) int32 {
		if x == nil {
			return -1
		}
		return int32(math.Round(*x * 100))
	}
	had := map[string]bool{}
	for _, a := range rows {
		if a.Arrived.Before(from) || !a.Arrived.Before(to) || !box.Contains(geo.Point{Lat: a.Lat, Lon: a.Lon}) {
			continue
		}
		if step > 0 {
			bin := fmt.Sprint(a.Driver, a.Arrived.Sub(from)/step)
			if had[bin] {
				continue
			}
			had[bin] = true
		}
		out = append(out, shown{a.Driver, a.Seq, a.At, fixed(a.Lat), fixed(a.Lon), hundredths(a.Speed), hundredths(a.Heading), a.Arrived.UnixMilli()})
	}
	return out
}

// A span of which points have been dropped is no quiet city.
func TestPlaybackSaysThatPointsAreNoLongerKept(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	s := newStore(pool)
	get := pointstest.Routes(t, routes(s))
	ask := func(ago time.Duration) (int, map[string]any) {
		from := time.Now().Add(-ago)
		return get(auth.Identity{Subject: "ops", Role: auth.Admin}, fmt.Sprintf("/v1/playback?box=-57,-35,-56,-34&from=%d&to=%d", from.UnixMilli(), from.Add(time.Minute).UnixMilli()))
	}
	code, body := ask(DefaultKeep + time.Minute)
	require.Equal(t, http.StatusGone, code, body)
	require.Equal(t, "gone", body["code"])

	s.keep = 2 * DefaultKeep // it was shorter before, and a day was dropped
	day := DefaultKeep + 24*time.Hour
	_, err := pool.Exec(t.Context(), `INSERT INTO history.days (day, dropped_at) VALUES ($1::date, now())`, time.Now().Add(-day).UTC())
	require.NoError(t, err)
	code, body = ask(day)
	require.Equal(t, http.StatusGone, code, body)
	kept, err := s.keptSince(t.Context(), time.Now().Add(-day+48*time.Hour), time.Now())
	require.NoError(t, err)
	require.True(t, kept)
}

func TestPlaybackNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	_, pool := pointstest.Database(t, Schema())
	get := pointstest.Routes(t, routes(newStore(pool)))
	const good = "box=-57,-35,-56,-34&from=2026-11-24T12:00:00Z&to=2026-11-24T12:05:00Z"
	admin := auth.Identity{Subject: "ops", Role: auth.Admin}
	for field, queries := range map[string][]string{
		"box":   {strings.Replace(good, "-57,", "", 1), strings.Replace(good, "box", "view", 1), strings.Replace(good, "-34", "-36", 1), strings.Replace(good, "-34", "NaN", 1), strings.Replace(good, "-34", "91", 1)},
		"from":  {strings.Replace(good, "from", "since", 1), strings.Replace(good, "T12:00", "T12:06", 1), strings.Replace(good, "T12:00", "T11:04", 1), strings.Replace(good, "2026-11-24T12:00:00Z", "yesterday", 1)},
		"to":    {strings.Replace(good, "to", "until", 1), good + "x"},
		"step":  {good + "&step=0", good + "&step=61", good + "&step=-1", good + "&step=1.5", good + "&step=9223372037"},
		"limit": {good + "&limit=0", good + "&limit=10001"},
		"after": {good + "&after=x", good + "&after=1.2", good + "&after=1.2.d", good + "&after=9999999999999999.2.d", good + "&after=1795521600000000.x.d", good + "&after=1795521600000000.1.a%00b"},
	} {
		for _, q := range queries {
			code, body := get(admin, "/v1/playback?"+q)
			require.Equal(t, http.StatusBadRequest, code, "%s: %v", q, body)
			require.Equal(t, field, body["field"], "%s: %v", q, body)
		}
	}
	code, _ := get(auth.Identity{Subject: "d", Role: auth.Driver}, "/v1/playback?"+good)
	require.Equal(t, http.StatusForbidden, code)
}
