// Package traces holds what a collector gets of one ride against docs/tracing.md.
package traces

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/booking"
	"tandem/services/console"
	"tandem/services/dispatch"
	"tandem/services/domain/profile"
	"tandem/services/domain/ride"
	"tandem/services/gateway"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/postgres"
	"tandem/services/internal/problem"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/telemetry"
	"tandem/services/location"
	"tandem/services/notification"
	"tandem/services/test/collector"
	"tandem/services/test/observe"
	"tandem/services/test/testenv"
	"tandem/services/tools/deadletter"
)

const (
	phone = "+59899123456"
	words = "behind the blue gate"
	trip  = `{"pickup":{"lat":-34.9065,"lon":-56.1995,"label":"` + words + `"},"dropoff":{"lat":-34.9011,"lon":-56.1645}}`

	patience = 30 * time.Second
	look     = 20 * time.Millisecond
)

// parts are services in this process, each with a provider of its own, as it has in a
// process of its own.
type parts struct {
	collector *collector.Collector
	signer    *auth.Signer
	stops     []func()
	headers   map[string]string // of every request
}

// run starts a service and returns its base URL.
func (p *parts) run(t *testing.T, name string, serve func(context.Context, lifecycle.Env) error) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	traces, sendRest, err := telemetry.Start(t.Context(), telemetry.Options{Endpoint: p.collector.URL, Service: name, Ratio: 1, Log: log})
	require.NoError(t, err)

	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- serve(ctx, lifecycle.Env{Listener: l, Log: log, Metrics: prometheus.NewRegistry(), Traces: traces})
	}()
	p.stops = append(p.stops, func() {
		cancel()
		require.NoError(t, <-ended, name)
		sendRest()
	})
	return "http://" + l.Addr().String()
}

// stop ends all services, so that every span is at the collector.
func (p *parts) stop() {
	for _, stop := range p.stops {
		stop()
	}
	p.stops = nil
}

// nearby refuses the first question, which is a failure of the message, and then knows a
// driver.
func (p *parts) nearby() func(context.Context, lifecycle.Env) error {
	var asked atomic.Int64
	return func(ctx context.Context, env lifecycle.Env) error {
		return httpserver.Serve(ctx, httpserver.Options{Name: "nearby", Env: env, Auth: p.signer, Routes: []httpserver.Route{{
			Method: http.MethodGet, Path: "/v1/nearby", Roles: []auth.Role{auth.Service}, Handle: func(c *gin.Context) error {
				if asked.Add(1) == 1 {
					return problem.New(problem.Invalid, "The question is wrong.")
				}
				c.JSON(http.StatusOK, gin.H{"drivers": []gin.H{{"driver_id": "dora", "lat": -34.906, "lon": -56.199}}})
				return nil
			},
		}}})
	}
}

func (p *parts) send(t *testing.T, role auth.Role, who, method, url, body string) (status int, answer []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	token, err := p.signer.Sign(auth.Identity{Role: role, Subject: who}, time.Minute)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", "k1")
	for k, v := range p.headers {
		req.Header.Set(k, v)
	}

	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil // it does not listen yet
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err = io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, answer
}

func (p *parts) must(t *testing.T, role auth.Role, who, method, url, body string) (answer []byte) {
	t.Helper()
	require.Eventually(t, func() bool {
		status, b := p.send(t, role, who, method, url, body)
		answer = b
		return status >= 200 && status < 300
	}, patience, look, "%s %s", method, url)
	return answer
}

// everyMetricExists holds what deploy/observe asks for against what services show. A
// dashboard that asks for a name of yesterday is empty, and its alarm is silent.
func (p *parts) everyMetricExists(t *testing.T, urls ...string) {
	t.Helper()
	var shown strings.Builder
	for _, u := range urls {
		shown.Write(p.must(t, auth.Service, "prometheus", http.MethodGet, u+"/metrics", ""))
	}
	// Of readers of the stream, which do not run here, the console says what it is told.
	shown.WriteString("\ntandem_reader_behind_seconds{\ntandem_reader_unread_points{\ntandem_shard_points_total{")
	shown.WriteString("\nshardgroup_failures_total \nshardgroup_leases_lost_total ") // domain/points tests what they show themselves
	for name, where := range observe.Metrics(t, "../../..") {
		require.True(t, strings.Contains(shown.String(), "\n"+name+"{") || strings.Contains(shown.String(), "\n"+name+" "), "%s asks for %s, which nobody shows", where, name)
	}
}

// onPage returns what docs/tracing.md shows below a mark.
func onPage(t *testing.T, mark string) string {
	t.Helper()
	page, err := os.ReadFile("../../../docs/tracing.md")
	require.NoError(t, err)
	_, after, _ := strings.Cut(string(page), "<!-- "+mark+" -->\n```\n")
	want, _, _ := strings.Cut(after, "```")
	return want
}

// TestOneRideIsOneTrace books a ride whose first try fails, has it accepted, waits for
// the SMS, and compares what the collector got with the page.
func TestOneRideIsOneTrace(t *testing.T) {
	t.Parallel()
	signer, err := auth.NewSigner(bytes.Repeat([]byte("k"), 32))
	require.NoError(t, err)
	p := &parts{collector: collector.Start(t), signer: signer}
	schemas := append(ride.Schemas(), notification.Schema(), gateway.Schema(), deadletter.Schema(), postgres.Schema{Name: shardgroup.SchemaName, FS: shardgroup.Migrations()})
	database, pool := testenv.Database(t, schemas...)
	aws := testenv.Emulator(t)
	times := profile.Fast()
	times.Offer = patience

	near := p.run(t, "nearby", p.nearby())
	book := p.run(t, "booking", func(ctx context.Context, env lifecycle.Env) error {
		return booking.Run(ctx, env, booking.Config{DatabaseURL: database, AWS: aws, Auth: signer, Profile: times})
	})
	work := p.run(t, "dispatch", func(ctx context.Context, env lifecycle.Env) error {
		return dispatch.Run(ctx, env, dispatch.Config{DatabaseURL: database, AWS: aws, Auth: signer, Profile: times, NearbyURL: near, Worker: "dispatch-1"})
	})
	notify := p.run(t, "notification", func(ctx context.Context, env lifecycle.Env) error {
		return notification.Run(ctx, env, notification.Config{DatabaseURL: database, AWS: aws, Auth: signer, Profile: times})
	})
	backend, err := profile.BackendByName("emulator")
	require.NoError(t, err)
	points := p.run(t, "location", func(ctx context.Context, env lifecycle.Env) error {
		return location.Run(ctx, env, location.Config{AWS: aws, Auth: signer, Profile: times, Backend: backend})
	})
	front := p.run(t, "gateway", func(ctx context.Context, env lifecycle.Env) error {
		files := fstest.MapFS{"index.html": {Data: []byte("<!doctype html>")}}
		return gateway.Run(ctx, env, gateway.Config{DatabaseURL: database, Auth: signer, App: files, City: files, BookingURL: book,
			LocationURL: book, MapfeedURL: book, HistoryURL: book, HeatmapURL: book, NotificationURL: book, ConsoleURL: book, CompareURL: book})
	})
	ops := p.run(t, "console", func(ctx context.Context, env lifecycle.Env) error {
		return console.Run(ctx, env, console.Config{DatabaseURL: database, Auth: signer, AWS: aws, BookingURL: book, Peers: []console.Peer{{Name: "booking", URL: book}, {Name: "gateway", URL: front}}})
	})
	t.Cleanup(p.stop)

	_, err = pool.Exec(t.Context(), `INSERT INTO notification.contacts (rider_id, phone, language, verified_at) VALUES ('rita', $1, 'en', now())`, phone)
	require.NoError(t, err)
	p.must(t, auth.Driver, "dora", http.MethodPut, front+"/v1/drivers/me/duty", `{"on_duty":true}`)

	var booked ride.Ride
	require.NoError(t, json.Unmarshal(p.must(t, auth.Rider, "rita", http.MethodPost, front+"/v1/rides", trip), &booked))
	var driver ride.DriverState
	require.Eventually(t, func() bool {
		_, b := p.send(t, auth.Driver, "dora", http.MethodGet, book+"/v1/drivers/me", "")
		return json.Unmarshal(b, &driver) == nil && driver.Offer != nil
	}, patience, look)
	p.must(t, auth.Driver, "dora", http.MethodPost, front+"/v1/offers/"+driver.Offer.ID+"/accept", "")
	require.Eventually(t, func() bool {
		var sent int
		return pool.QueryRow(t.Context(), `SELECT count(*) FROM notification.deliveries WHERE channel = 'sms' AND state = 'sent'`).Scan(&sent) == nil && sent == 1
	}, patience, look)

	// A bucket is shown once a point of it is on the stream, the shards once they were seen.
	now := time.Now().UnixMilli()
	p.must(t, auth.Driver, "dan", http.MethodPost, points+"/v1/points", fmt.Sprintf(`{"points":[{"seq":%d,"at":%d,"lat":1,"lon":1}]}`, now, now))
	require.Eventually(t, func() bool {
		return strings.Contains(string(p.must(t, auth.Service, "prometheus", http.MethodGet, points+"/metrics", "")), "\ntandem_stream_open_shards ")
	}, patience, look)
	p.everyMetricExists(t, book, work, notify, ops, points)
	p.stop()

	spans := p.collector.Spans()
	require.Equal(t, onPage(t, "the trace of a ride"), tree(spans, traceOf(spans, booked.ID), ""), "docs/tracing.md shows another trace than the collector got")

	for _, body := range p.collector.Raw() {
		for _, private := range []string{phone[1:], words, "34.90", "56.19", "rita", "Go-http-client"} {
			require.NotContains(t, string(body), private)
		}
	}
}
