package location

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/domain/profile"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/stream/kinesisproducer"
	"tandem/services/test/testenv"
)

// BenchmarkPoints has 256 drivers send batches, each the next one once it has the answer to the one before: to the handler with its
// producer, to the handler with one PutRecord a point instead, and to what only decodes (by
// json.Unmarshal, or as the handler does), validates and answers 202. What is measured
// begins at the handler: no sockets, and no client that encodes. make bench names a
// server in LOCATION_BENCH_AWS; without it an emulator runs in this process, whose
// processor time counts too. Run it with -benchtime 1x.
func BenchmarkPoints(b *testing.B) {
	client := benchStream(b)
	for _, size := range []int{100, 10, 1} {
		for _, way := range []struct {
			name   string
			points int // of all drivers
			run    func(b *testing.B, points, size int) benchPoints
		}{
			{"durable", map[int]int{100: 204_800, 10: 51_200, 1: 15_360}[size], func(b *testing.B, points, size int) benchPoints {
				return benchHandler(b, benchProducer(b, client, nil), nil, points, size)
			}},
			{"one-by-one", map[int]int{100: 25_600, 10: 5_120, 1: 5_120}[size], func(b *testing.B, points, size int) benchPoints {
				return benchHandler(b, oneByOne{benchCaller(b, client)}, nil, points, size)
			}},
			{"unmarshalled", map[int]int{100: 51_200, 10: 25_600, 1: 7_680}[size], func(b *testing.B, points, size int) benchPoints {
				return benchHandler(b, nil, unmarshal, points, size)
			}},
			{"scanned", map[int]int{100: 204_800, 10: 51_200, 1: 7_680}[size], func(b *testing.B, points, size int) benchPoints {
				return benchHandler(b, nil, readPoints, points, size)
			}},
		} {
			b.Run(fmt.Sprintf("%d/%s", size, way.name), func(b *testing.B) {
				for range b.N {
					r := way.run(b, way.points, size)
					b.ReportMetric(float64(r.points)/r.took.Seconds(), "points/s")
					b.ReportMetric(float64(r.points)/r.cpu.Seconds(), "points/cpu-s")
				}
			})
		}
	}
}

// BenchmarkBytes is how many bytes of the stream a point takes, when each of 5,000
// drivers sends one a second.
func BenchmarkBytes(b *testing.B) {
	client := benchStream(b)
	for range b.N {
		var bytes, points atomic.Int64
		p := benchProducer(b, client, func(s kinesisproducer.Stored) {
			bytes.Add(int64(s.Bytes))
			points.Add(int64(s.UserRecords))
		})
		serve := benchServe(b, p, nil)

		const drivers, seconds, every = 5_000, 3, 5 * time.Millisecond
		requests := benchRequests(b, drivers, seconds, 1)
		var all sync.WaitGroup
		tick := time.NewTicker(every)
		const eachTick = drivers * int(every) / int(time.Second)
		for sent := 0; sent < drivers*seconds; sent += eachTick {
			<-tick.C
			for i := sent; i < sent+eachTick; i++ {
				all.Go(func() { benchServed(b, serve, requests[i%drivers][i/drivers]) })
			}
		}
		tick.Stop()
		all.Wait()
		b.ReportMetric(float64(bytes.Load())/float64(points.Load()), "bytes/point")
	}
}

const benchDrivers = 256

type benchPoints struct {
	points    int
	took, cpu time.Duration
}

// benchStream returns a client of the server that is measured with, which has the stream.
func benchStream(b *testing.B) *kinesis.Client {
	b.Helper()
	at := awsclient.Config{Endpoint: os.Getenv("LOCATION_BENCH_AWS")}
	if at.Endpoint == "" {
		at = testenv.Emulator(b)
	}
	cfg, err := awsclient.New(b.Context(), at)
	require.NoError(b, err)
	return kinesis.NewFromConfig(cfg)
}

// benchCaller is a client that keeps a connection for each driver: the peer's calls are
// not to pay for new ones.
func benchCaller(b *testing.B, like *kinesis.Client) *kinesis.Client {
	b.Helper()
	o := like.Options()
	o.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns, t.MaxIdleConnsPerHost = benchDrivers, benchDrivers
	})
	return kinesis.New(o)
}

// benchProducer is the producer that Run has, with the default profile.
func benchProducer(b *testing.B, client *kinesis.Client, report func(kinesisproducer.Stored)) producer {
	b.Helper()
	backend, err := profile.BackendByName(profile.Emulator)
	require.NoError(b, err)
	p, err := kinesisproducer.New(kinesisproducer.Options{Client: client, Stream: event.Stream, Buckets: backend.Buckets, Linger: profile.Default().Linger, Report: report})
	require.NoError(b, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx, time.Second) }()
	b.Cleanup(func() { cancel(); require.NoError(b, <-ended) })
	return p
}

// oneByOne puts each point with a call of its own, one after the other, which keeps the
// driver's order.
type oneByOne struct{ client *kinesis.Client }

func (o oneByOne) Put(ctx context.Context, key string, data ...[]byte) (acked int, err error) {
	stream := event.Stream
	for i, d := range data {
		if _, err := o.client.PutRecord(ctx, &kinesis.PutRecordInput{StreamName: &stream, PartitionKey: &key, Data: d}); err != nil {
			return i, err
		}
	}
	return len(data), nil
}

// benchServe returns the handler, or with read what only decodes by that, validates and
// answers.
func benchServe(b *testing.B, p producer, read func(*gin.Context) (pointsRequest, error)) http.Handler {
	b.Helper()
	s := &service{stream: p, putWithin: time.Minute, now: time.Now, memory: newMemory(), stats: newStats()}
	routes := s.routes()
	if read != nil {
		routes[0].Handle = func(c *gin.Context) error { return s.validated(c, read) }
	}
	signer, err := auth.NewSigner([]byte(strings.Repeat("k", 32)))
	require.NoError(b, err)
	h, err := httpserver.NewHandler(b.Context(), httpserver.Options{Name: "location", Auth: signer, Routes: routes,
		Env: lifecycle.Env{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()}})
	require.NoError(b, err)
	return h
}

// unmarshal is how a handler reads its body that has no decoder of its own: it takes members
// that nobody knows, and those that come twice.
func unmarshal(c *gin.Context) (in pointsRequest, err error) {
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, maxBody))
	if err != nil {
		return in, err
	}
	return in, json.Unmarshal(body, &in)
}

func (s *service) validated(c *gin.Context, read func(*gin.Context) (pointsRequest, error)) error {
	in, err := read(c)
	if err != nil {
		return err
	}
	driver, err := auth.ActingDriver(httpserver.Identity(c), in.DriverID, event.ValidID)
	if err != nil {
		return err
	}
	if err := checkRequest(in); err != nil {
		return err
	}
	good, refused := check(driver, in.Points, bounds{now: s.now()})
	c.JSON(http.StatusAccepted, accepted{len(good), good[len(good)-1].Seq, refused})
	return nil
}

// benchRequests are each driver's requests, with so many points each.
func benchRequests(b *testing.B, drivers, each, size int) [][]*http.Request {
	b.Helper()
	signer, err := auth.NewSigner([]byte(strings.Repeat("k", 32)))
	require.NoError(b, err)
	seq := time.Now().UnixMilli()
	all := make([][]*http.Request, drivers)
	for d := range all {
		token, err := signer.Sign(auth.Identity{Subject: fmt.Sprintf("driver-%012x", d), Role: auth.Driver}, time.Hour)
		require.NoError(b, err)
		lat, lon := -34.9+0.1*rand.Float64(), -56.2+0.1*rand.Float64() //nolint:gosec // a test's own
		for k := range each {
			var body strings.Builder
			body.WriteString(`{"points":[`)
			for i := range size {
				if i > 0 {
					body.WriteByte(',')
				}
				at := seq + int64(k*size+i)
				lat, lon = lat+1e-5*rand.Float64(), lon+1e-5*rand.Float64() //nolint:gosec // a test's own
				fmt.Fprintf(&body, `{"seq":%d,"at":%d,"lat":%v,"lon":%v,"speed":%v,"heading":%v,"accuracy":5}`, at, at, lat, lon, 20*rand.Float64(), 360*rand.Float64())
			}
			body.WriteString(`]}`)
			r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/v1/points", strings.NewReader(body.String()))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer "+token)
			all[d] = append(all[d], r)
		}
	}
	return all
}

func benchServed(b *testing.B, h http.Handler, r *http.Request) {
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	if rec.Code != http.StatusAccepted {
		b.Errorf("%d %s", rec.Code, rec.Body)
	}
}

// benchHandler serves the drivers' batches and measures from the first to the last.
func benchHandler(b *testing.B, p producer, read func(*gin.Context) (pointsRequest, error), points, size int) benchPoints {
	b.Helper()
	drivers := min(benchDrivers, points/size)
	serve, requests := benchServe(b, p, read), benchRequests(b, drivers, points/drivers/size, size)

	began, cpu := time.Now(), processorTime()
	var all sync.WaitGroup
	for _, of := range requests {
		all.Go(func() {
			for _, r := range of {
				benchServed(b, serve, r)
			}
		})
	}
	all.Wait()
	return benchPoints{points: points, took: time.Since(began), cpu: processorTime() - cpu}
}

func processorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
