package client_test

import (
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tandem/services/client"
	"tandem/services/domain/geo"
	"tandem/services/internal/auth"
	"tandem/services/internal/problem"
)

// tandem answers tokens, and leaves the rest to h.
func tandem(t *testing.T, h http.HandlerFunc) *client.API {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/tokens" {
			if r.Header.Get("X-Operator-Key") != "key" {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"token": "T", "expires_at": time.Now().Add(time.Hour).UnixMilli()})
			return
		}
		if r.Header.Get("Authorization") != "Bearer T" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		h(w, r)
	}))
	t.Cleanup(srv.Close)
	return client.New(client.Options{GatewayURL: srv.URL, OperatorKey: "key"})
}

func refuse(w http.ResponseWriter, p *problem.Error) {
	w.Header().Set("Content-Type", problem.ContentType)
	w.WriteHeader(p.Code.Status())
	_ = json.NewEncoder(w).Encode(p)
}

func TestBookingIsTriedAgainWithTheSameKey(t *testing.T) {
	var calls atomic.Int32
	api := tandem(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Idempotency-Key") != "k1" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if calls.Add(1) < 3 {
			refuse(w, problem.New(problem.Unavailable, "restarting"))
			return
		}
		w.Header().Set("Idempotency-Replayed", "true")
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(map[string]any{"id": "r1", "state": "requested"})
	})
	ride, status, err := api.As(auth.Rider, "r").Book(t.Context(), "k1", client.Booking{})
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, status)
	require.Equal(t, "r1", ride.ID)
	require.True(t, ride.Replayed)
	require.Equal(t, int32(3), calls.Load())
}

func TestAnActionThatWasDoneAlreadyIsNoError(t *testing.T) {
	api := tandem(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			refuse(w, problem.New(problem.Conflict, "the ride is arrived"))
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"id": "r1", "state": client.Arrived})
	})
	s := api.As(auth.Driver, "d")
	ride, err := s.Arrive(t.Context(), "r1")
	require.NoError(t, err)
	require.Equal(t, client.Arrived, ride.State)
	_, err = s.DropOff(t.Context(), "r1")
	require.True(t, client.IsCode(err, problem.Conflict))
}

// A location that accepts, refuses and fails at random: whatever it answers,
// the track sends each point until it is durable or refused, in order.
func TestTrackSendsEachPointUntilItIsDurable(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var stored []int64
		api := tandem(t, func(w http.ResponseWriter, r *http.Request) {
			var in struct{ Points []client.Point }
			if json.NewDecoder(r.Body).Decode(&in) != nil {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			n := rapid.IntRange(0, len(in.Points)).Draw(rt, "durable")
			for _, p := range in.Points[:n] {
				stored = append(stored, p.Seq)
			}
			through := int64(0)
			if n > 0 {
				through = in.Points[n-1].Seq
			}
			if n < len(in.Points) {
				p := problem.New(problem.Unavailable, "the stream is away")
				p.Extra = map[string]any{"accepted_through": through}
				refuse(w, p)
				return
			}
			w.WriteHeader(http.StatusAccepted)
			_ = json.NewEncoder(w).Encode(map[string]any{"accepted": n, "accepted_through": through})
		})
		track := client.NewTrack(api.As(auth.Driver, "d"), 100, 50)
		var added []int64
		for i := range rapid.IntRange(1, 40).Draw(rt, "points") {
			track.Add(client.Point{At: int64(i % 7)}) // times may stand still or go back; sequences may not
			added = append(added, int64(101+i))
			if rapid.Bool().Draw(rt, "flush") {
				_ = track.Flush(t.Context())
			}
		}
		for len(stored) < len(added) {
			_ = track.Flush(t.Context())
		}
		require.Equal(rt, added, stored)
	})
}

func TestWatchReconnects(t *testing.T) {
	var calls atomic.Int32
	api := tandem(t, func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		_, _ = w.Write([]byte(": hello\n\nevent: state\ndata: {\"driver_id\":\"d\",\"on_duty\":true}\n\n"))
	})
	states := make(chan client.DriverState, 10)
	go func() { _ = api.As(auth.Driver, "d").Watch(t.Context(), func(st client.DriverState) { states <- st }) }()
	for range 2 {
		select {
		case st := <-states:
			require.True(t, st.OnDuty)
		case <-time.After(10 * time.Second):
			t.Fatal("no state")
		}
	}
	require.GreaterOrEqual(t, calls.Load(), int32(2))
}

func TestMoverKeepsToItsRouteAndSpeed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lon := rapid.Float64Range(-56.3, -56.0)
		var route []geo.Point
		for range rapid.IntRange(2, 4).Draw(t, "points") {
			route = append(route, geo.Point{Lat: -34.9 + lon.Draw(t, "lat")/1000, Lon: lon.Draw(t, "lon")})
		}
		speed := rapid.Float64Range(10, 30).Draw(t, "speed")
		speeds := make([]float64, len(route)-1)
		for i := range speeds {
			speeds[i] = speed
		}
		m := client.Mover{At: route[0]}
		m.Follow(route, speeds)
		length := 0.0
		for i := range speeds {
			length += geo.Distance(route[i], route[i+1])
		}
		took := 0
		for ; !m.Arrived() && took < 100_000; took++ {
			before := m.At
			m.Drive(time.Second, 1)
			require.LessOrEqual(t, geo.Distance(before, m.At), speed*1.001+0.01)
			require.True(t, m.Heading >= 0 && m.Heading < 360)
		}
		require.InDelta(t, math.Ceil(length/speed), took, 1+length*1e-6)
		require.InDelta(t, 0, geo.Distance(m.At, route[len(route)-1]), 0.01)
	})
}
