package location

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/domain/profile"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/stream/kinesisproducer"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/test/testenv"
)

func testSigner(t *testing.T) *auth.Signer {
	t.Helper()
	k, err := auth.NewSigner([]byte(strings.Repeat("k", 32)))
	require.NoError(t, err)
	return k
}

func post(t *testing.T, do func(*http.Request) (int, []byte), signer *auth.Signer, id auth.Identity, body string) (int, map[string]any) {
	t.Helper()
	status, raw := do(request(t, signer, id, body))
	out := map[string]any{}
	require.NoError(t, json.Unmarshal(raw, &out), string(raw))
	return status, out
}

func request(t *testing.T, signer *auth.Signer, id auth.Identity, body string) *http.Request {
	t.Helper()
	token, err := signer.Sign(id, time.Minute)
	require.NoError(t, err)

	req := httptest.NewRequestWithContext(t.Context(), "POST", "/v1/points", strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	return req
}

// stalled acknowledges a prefix, then nothing.
type stalled struct{ acks int }

func (s stalled) Put(context.Context, string, ...[]byte) (int, error) {
	return s.acks, errors.New("secret-host refused")
}

func handler(t *testing.T, signer *auth.Signer, p producer) func(*http.Request) (int, []byte) {
	t.Helper()
	s := &service{stream: p, putWithin: time.Second, now: time.Now, memory: newMemory(), stats: newStats()}
	h, err := httpserver.NewHandler(t.Context(), httpserver.Options{Name: "location", Auth: signer, Routes: s.routes(),
		Env: lifecycle.Env{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()}})
	require.NoError(t, err)
	return func(r *http.Request) (int, []byte) {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		return rec.Code, rec.Body.Bytes()
	}
}

func TestWhatIsNotDurableIsSaid(t *testing.T) {
	signer := testSigner(t)
	now := time.Now().UnixMilli()
	body := fmt.Sprintf(`{"points":[{"seq":%d,"at":%d,"lat":1,"lon":1},{"seq":%d,"at":%d,"lat":1,"lon":1},{"seq":%d,"at":%d,"lat":99,"lon":1},{"seq":%d,"at":%d,"lat":1,"lon":1}]}`,
		now, now, now+1, now, now+2, now, now+3, now)

	status, out := post(t, handler(t, signer, stalled{acks: 2}), signer, auth.Identity{Subject: "d", Role: auth.Driver}, body)
	require.Equal(t, 503, status)
	require.InDelta(t, now+1, out["accepted_through"], 0)
	require.InDelta(t, now+3, out["resend_from"], 0)
	require.Len(t, out["refused"], 1)
	require.NotContains(t, fmt.Sprint(out), "secret-host")

	_, out = post(t, handler(t, signer, stalled{}), signer, auth.Identity{Subject: "d", Role: auth.Driver}, body)
	require.InDelta(t, 0, out["accepted_through"], 0)
}

// refusing acknowledges one point, and refuses the next.
type refusing struct{}

func (refusing) Put(context.Context, string, ...[]byte) (int, error) {
	return 1, fmt.Errorf("%w: secret-host refused", kinesisproducer.ErrRefused)
}

// What the stream refuses for good is kept by its driver too, who is told that waiting is
// not enough.
func TestWhatTheStreamRefusesIsSaid(t *testing.T) {
	signer := testSigner(t)
	now := time.Now().UnixMilli()
	body := fmt.Sprintf(`{"points":[{"seq":%d,"at":%d,"lat":1,"lon":1},{"seq":%d,"at":%d,"lat":1,"lon":1}]}`, now, now, now+1, now)

	status, out := post(t, handler(t, signer, refusing{}), signer, auth.Identity{Subject: "d", Role: auth.Driver}, body)
	require.Equal(t, 503, status)
	require.InDelta(t, now, out["accepted_through"], 0)
	require.InDelta(t, now+1, out["resend_from"], 0)
	require.Contains(t, out["detail"], "refuses the point at resend_from")
	require.NotContains(t, fmt.Sprint(out), "secret-host")
}

// silent never answers.
type silent struct{}

func (silent) Put(ctx context.Context, _ string, _ ...[]byte) (int, error) {
	<-ctx.Done()
	return 0, ctx.Err()
}

func TestAStreamThatDoesNotAnswerIsWaitedForSoLong(t *testing.T) {
	signer, began := testSigner(t), time.Now()
	body := fmt.Sprintf(`{"points":[{"seq":%d,"at":%d,"lat":1,"lon":1}]}`, began.UnixMilli(), began.UnixMilli())
	req := request(t, signer, auth.Identity{Subject: "d", Role: auth.Driver}, body)
	patient, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()

	status, _ := handler(t, signer, silent{})(req.WithContext(patient))

	require.Equal(t, 503, status)
	require.NoError(t, patient.Err(), "the client has not lost its patience first")
}

// All may be acknowledged in the moment in which the wait for it ends.
func TestAllAcknowledgedIsAccepted(t *testing.T) {
	signer := testSigner(t)
	now := time.Now().UnixMilli()
	body := fmt.Sprintf(`{"points":[{"seq":%d,"at":%d,"lat":1,"lon":1},{"seq":%d,"at":%d,"lat":1,"lon":1}]}`, now, now, now+1, now)

	status, out := post(t, handler(t, signer, stalled{acks: 2}), signer, auth.Identity{Subject: "d", Role: auth.Driver}, body)

	require.Equal(t, 202, status, out)
	require.InDelta(t, now+1, out["accepted_through"], 0)
}

// keeping keeps what it is given.
type keeping struct{ data *[]string }

func (k keeping) Put(_ context.Context, _ string, data ...[]byte) (int, error) {
	for _, b := range data {
		*k.data = append(*k.data, string(b))
	}
	return len(data), nil
}

func TestWhatADriverDoesNotSayIsNotZero(t *testing.T) {
	signer := testSigner(t)
	now := time.Now().UnixMilli()
	body := fmt.Sprintf(`{"points":[{"seq":%d,"at":%d,"lat":1,"lon":1},{"seq":%d,"at":%d,"lat":1,"lon":1,"speed":0,"heading":0,"accuracy":0}]}`, now, now, now+1, now)

	var data []string
	status, out := post(t, handler(t, signer, keeping{&data}), signer, auth.Identity{Subject: "d", Role: auth.Driver}, body)

	require.Equal(t, 202, status, out)
	require.NotRegexp(t, "speed|heading|accuracy", data[0])
	require.Contains(t, data[1], `"speed":0,"heading":0,"accuracy":0`)
}

func TestAPointIsAsPreciseAsItsReceiver(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	ms := now.UnixMilli()
	one := func(lat, lon, speed, heading float64) string {
		good, _ := check("d", []point{{Seq: ms, At: ms, Lat: &lat, Lon: &lon, Speed: &speed, Heading: &heading, Accuracy: new(4.999)}}, bounds{now: now})
		if len(good) == 0 {
			return ""
		}
		b, err := good[0].Encode()
		require.NoError(t, err)
		return string(b)
	}

	require.Equal(t, fmt.Sprintf(`{"v":2,"seq":%d,"lat":-34.9011123,"lon":-56.1645678,"speed":8.33,"heading":271.57,"accuracy":5}`, ms),
		one(-34.901112344444444, -56.16456779999999, 8.333333333333334, 271.56505117707799))
	require.Contains(t, one(1, 1, 0.001, 359.996), `"speed":0,"heading":0,`, "north, and no 360")
	require.Contains(t, one(-1e-9, 1, 1, 1), `"lat":0,"lon":1,`, "no -0")
	require.Empty(t, one(1e-9, -1e-9, 1, 1), "what is rounded to 0,0 is no fix either")
	require.NotEmpty(t, one(1e-7, 0, 1, 1))
	require.Contains(t, one(90, 180, 100, 0), `"lat":90,"lon":180,"speed":100`)
}

func TestEachFieldIsRefusedByName(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	ms := now.UnixMilli()
	one := 1.0
	good := point{Seq: ms, At: ms, Lat: &one, Lon: &one}
	cases := map[string]func(*point){
		"seq":      func(p *point) { p.Seq = 0 },
		"at":       func(p *point) { p.At = now.Add(2 * time.Minute).UnixMilli() },
		"lat":      func(p *point) { p.Lat = nil },
		"lon":      func(p *point) { x := 180.1; p.Lon = &x },
		"speed":    func(p *point) { p.Speed = new(-1.0) },
		"heading":  func(p *point) { p.Heading = new(360.0) },
		"accuracy": func(p *point) { p.Accuracy = new(10_001.0) },
	}

	for field, change := range cases {
		p := good
		change(&p)
		next := good
		next.Seq++
		taken, refused := check("d", []point{p, next}, bounds{now: now})
		require.Len(t, taken, 1, "%s: the rest is not harmed", field)
		require.Equal(t, field, refused[0].Field)
		require.NotEmpty(t, refused[0].Detail)
	}

	old := good
	old.Seq, old.At = 1_362_127_071_000, 1_362_127_071_000
	taken, _ := check("d", []point{old}, bounds{now: now})
	require.Empty(t, taken, "a driver's own fix is not from 2013")
	taken, _ = check("d", []point{old}, bounds{now: now, recorded: true})
	require.Len(t, taken, 1, "a recorded one may be")

	_, refused := check("d", []point{good, good}, bounds{now: now})
	require.Equal(t, "seq", refused[0].Field, "sequences rise inside a batch")
	ahead := good
	ahead.Seq = ms * 2
	_, refused = check("d", []point{ahead}, bounds{now: now})
	require.Equal(t, "seq", refused[0].Field)
}

func FuzzPoints(f *testing.F) {
	f.Add([]byte(`{"points":[{"seq":1,"at":1,"lat":1,"lon":1,"speed":1e999}]}`))
	f.Add([]byte(`{"driver_id":"x","points":[{}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var in pointsRequest
		if json.Unmarshal(b, &in) != nil {
			return
		}
		taken, refused := check("d", in.Points, bounds{now: time.UnixMilli(1_800_000_000_000), recorded: true})
		require.Equal(t, len(in.Points), len(taken)+len(refused))
		for _, p := range taken {
			raw, err := p.Encode()
			require.NoError(t, err)
			read, err := event.DecodePoint("d", raw)
			require.NoError(t, err, "what is taken can be read")
			require.Equal(t, p, read)
			require.False(t, p.Heading != nil && *p.Heading >= 360)
		}
	})
}

func TestPointsReachTheStream(t *testing.T) {
	signer := testSigner(t)
	aws := testenv.Emulator(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended, metrics := make(chan error, 1), prometheus.NewRegistry()
	go func() {
		ended <- Run(ctx, lifecycle.Env{Listener: l, Log: slog.New(slog.DiscardHandler), Metrics: metrics},
			Config{AWS: aws, Auth: signer, Profile: profile.Fast()})
	}()

	do := func(r *http.Request) (int, []byte) {
		r = r.Clone(r.Context())
		r.RequestURI, r.URL.Scheme, r.URL.Host, r.Host = "", "http", l.Addr().String(), ""
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer func() { _ = resp.Body.Close() }()
		var b [64 << 10]byte
		n, _ := resp.Body.Read(b[:])
		return resp.StatusCode, b[:n]
	}

	now := time.Now().UnixMilli()
	for i := range int64(20) {
		body := fmt.Sprintf(`{"points":[{"seq":%d,"at":%d,"lat":-34.9,"lon":-56.2,"speed":8}]}`, now+i, now)
		status, out := post(t, do, signer, auth.Identity{Subject: "d1", Role: auth.Driver}, body)
		require.Equal(t, 202, status, out)
		require.InDelta(t, now+i, out["accepted_through"], 0)
	}

	status, _ := post(t, do, signer, auth.Identity{Subject: "d1", Role: auth.Driver}, `{"driver_id":"d2","points":[]}`)
	require.Equal(t, 403, status, "another driver's location")
	status, _ = post(t, do, signer, auth.Identity{Subject: "f", Role: auth.Importer}, `{"driver_id":"d3","points":[{"seq":1362127071000,"at":1362127071000,"lat":40.7,"lon":-74}]}`)
	require.Equal(t, 202, status)

	shown := gather(t, metrics)
	require.InDelta(t, 21, shown["tandem_bucket_points_total bucket=0"], 0)
	require.InDelta(t, 4, shown["tandem_stream_open_shards"], 0)

	cfg, err := awsclient.New(t.Context(), aws)
	require.NoError(t, err)
	reading, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	seen := make(chan event.Point, 100)
	reader, err := shardreader.New(shardreader.Options{Client: kinesis.NewFromConfig(cfg), Stream: event.Stream, Log: slog.New(slog.DiscardHandler), PollEvery: 300 * time.Millisecond})
	require.NoError(t, err)
	go func() {
		_ = reader.
			All(reading, shardreader.Horizon(), func(_ context.Context, b shardreader.Batch) error {
				for _, r := range b.Records {
					p, err := event.DecodePoint(r.Key, r.Data)
					if err != nil {
						return err
					}
					seen <- p
				}
				return nil
			})
	}()

	next, imported := now, false
	for next < now+20 || !imported {
		select {
		case p := <-seen:
			if p.Driver == "d3" {
				imported = true
				continue
			}
			require.Equal(t, next, p.Seq, "in order, each once")
			next++
		case <-reading.Done():
			t.Fatalf("read up to %d of 20, imported %v", next-now, imported)
		}
	}

	cancel()
	require.NoError(t, <-ended)
}
