package console

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/points"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpclient"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
)

func TestNewestEverywherePicksAPointThatAllHaveSeen(t *testing.T) {
	at := func(seqs ...int64) (out []points.Seen) {
		for _, s := range seqs {
			out = append(out, points.Seen{Seq: s, Shard: "shard-1", ArrivedAt: 1000 * s, AppliedAt: 1000*s + 40})
		}
		return out
	}
	trace := newestEverywhere("d1", map[string][]points.Seen{"mapfeed": at(9, 8, 7), "history": at(8, 7, 6), "heatmap": at(7, 6, 5)})
	require.Equal(t, int64(7), trace.Point.Seq)
	require.Len(t, trace.Readers, 3)
	require.Equal(t, int64(40), trace.Readers[0].AfterMS)
	require.Nil(t, newestEverywhere("d1", nil).Point)
}

func testSigner(t *testing.T) *auth.Signer {
	t.Helper()
	signer, err := auth.NewSigner([]byte(strings.Repeat("k", 32)))
	require.NoError(t, err)
	return signer
}

func TestRideStreamIsForTheRidesOwnPeople(t *testing.T) {
	signer := testSigner(t)
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/rides/") {
			_, _ = fmt.Fprint(w, `{"rider_id":"r1","driver_id":"d1","assigned_at":"2026-11-27T10:00:00Z","ended_at":"2026-11-27T10:05:00Z"}`)
			return
		}
		_, _ = fmt.Fprintf(w, `{"seen":[{"seq":5,"shard":"s","sequence_number":"49","arrived_at":%d,"applied_at":%d}]}`, time.Now().UnixMilli(), time.Now().UnixMilli()+7)
	}))
	defer behind.Close()
	cfg := Config{Auth: signer, Peers: []Peer{{"mapfeed", behind.URL}, {"history", behind.URL}}, StreamRetention: time.Hour}
	s := &service{cfg: cfg, gather: newGatherer(cfg, &fakeQueues{}, signer), booking: httpclient.ForService(behind.URL, signer, "console")}
	h, err := httpserver.NewHandler(t.Context(), httpserver.Options{
		Name: "console", Auth: signer, Routes: s.routes(),
		Env: lifecycle.Env{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()},
	})
	require.NoError(t, err)
	for _, tc := range []struct {
		id     auth.Identity
		status int
	}{
		{auth.Identity{Subject: "r1", Role: auth.Rider}, 200}, {auth.Identity{Subject: "d1", Role: auth.Driver}, 200},
		{auth.Identity{Subject: "ops", Role: auth.Admin}, 200}, {auth.Identity{Subject: "r2", Role: auth.Rider}, 404},
		{auth.Identity{Subject: "d1", Role: auth.Rider}, 404}, {auth.Identity{Subject: "viewer", Role: auth.Viewer}, 403},
	} {
		token, err := signer.Sign(tc.id, time.Minute)
		require.NoError(t, err)
		req := httptest.NewRequestWithContext(t.Context(), "GET", "/v1/rides/x/stream", nil)
		req.Header.Set("Authorization", "Bearer "+token)
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, req)
		require.Equal(t, tc.status, rec.Code, tc.id)
		if tc.status == 200 {
			var trace StreamTrace
			require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &trace))
			require.Equal(t, int64(5), trace.Point.Seq)
			require.Len(t, trace.Readers, 2)
			require.InDelta(t, 3600, trace.RetentionLeftS, 2)
			require.InDelta(t, time.Now().UnixMilli(), trace.At, 30_000)
		}
	}
}
