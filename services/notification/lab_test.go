package notification

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"tandem/services/domain/event"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/queue/sqsworker"
)

func TestTheLabsSwitchShowsWhatTheRecordPrevents(t *testing.T) {
	t.Parallel()
	for _, allowed := range []bool{true, false} {
		h, sms, log := setup(t)
		h.lab.allowed = allowed
		signer, err := auth.NewSigner([]byte(strings.Repeat("k", 32)))
		require.NoError(t, err)
		api, err := httpserver.NewHandler(t.Context(), httpserver.Options{
			Name: "notification", Auth: signer, Routes: routes(h.store, &verifier{}, h.lab),
			Env: lifecycle.Env{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()},
		})
		require.NoError(t, err)
		turn := func(role auth.Role, body string, status int) string {
			t.Helper()
			token, err := signer.Sign(auth.Identity{Role: role, Subject: "x"}, time.Minute)
			require.NoError(t, err)
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPut, "http://127.0.0.1/v1/lab/double-sms", strings.NewReader(body))
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			api.ServeHTTP(w, r)
			require.Equal(t, status, w.Code, w.Body)
			return w.Body.String()
		}

		verified(t, h, "ana", "+59899123456", spanish)
		m := message(t, event.TypeRideAssigned, "ana", newRide())
		comes := func() {
			t.Helper()
			require.Equal(t, sqsworker.Done(), h.handle(t.Context(), m))
		}
		comes()
		comes()
		require.Len(t, sms.sent, 1, "it is off at the start")

		turn(auth.Rider, `{"on":true}`, http.StatusForbidden)
		turn(auth.Admin, `{}`, http.StatusBadRequest)
		if !allowed {
			require.Contains(t, turn(auth.Admin, `{"on":true}`, http.StatusForbidden), "not on AWS")
			h.lab.turn(true, time.Now())
			comes()
			require.Len(t, sms.sent, 1)
			continue
		}

		require.Contains(t, turn(auth.Admin, `{"on":true}`, http.StatusOK), `"until"`)
		comes()
		require.Len(t, sms.sent, 2)
		require.Contains(t, log.String(), "lab: sms sent once more")

		h.lab.turn(true, time.Now().Add(-labFor))
		comes()
		require.Len(t, sms.sent, 2, "it went off by itself")
		turn(auth.Admin, `{"on":true}`, http.StatusOK)
		turn(auth.Admin, `{"on":false}`, http.StatusOK)
		comes()
		require.Len(t, sms.sent, 2)
	}
}

// A text that waits for its turn has not been claimed: a claim that waits would grow
// old.
func TestTextsWaitForTheirTurnBeforeTheClaim(t *testing.T) {
	t.Parallel()
	h, sms, _ := setup(t)
	h.pace = rate.NewLimiter(rate.Every(time.Hour), 1)
	ride := newRide()
	verified(t, h, "ana", "+59899123456", spanish)
	require.Equal(t, sqsworker.Done(), h.handle(t.Context(), message(t, event.TypeRideAssigned, "ana", ride)))
	require.Equal(t, sqsworker.Done(), h.handle(t.Context(), message(t, event.TypeRideAssigned, "bea", ride)), "who has no phone waits for none")

	next := message(t, event.TypeRideArrived, "ana", ride)
	stopping, stop := context.WithCancel(t.Context())
	result := make(chan sqsworker.Result, 1)
	go func() { result <- h.handle(stopping, next) }()
	require.Eventually(t, func() bool {
		inbox, err := h.store.inbox(t.Context(), "ana", -1, 10)
		return err == nil && len(inbox) == 2
	}, 20*time.Second, 20*time.Millisecond, "the inbox waits for nothing")
	stop()
	require.Equal(t, sqsworker.Release(), <-result)

	out, err := h.store.deliveries(t.Context(), ride)
	require.NoError(t, err)
	states := map[string]int{}
	for _, d := range out {
		if d.Channel == "sms" {
			states[d.State]++
		}
	}
	require.Equal(t, map[string]int{"sent": 1, "pending": 1}, states)

	h.pace = rate.NewLimiter(rate.Inf, 1)
	require.Equal(t, sqsworker.Done(), h.handle(t.Context(), next))
	require.Len(t, sms.sent, 2)
}

func TestACodeWaitsForItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &verifier{sms: &recorder{}, pace: rate.NewLimiter(rate.Every(time.Second), 1)}
		began := time.Now()
		for range 3 {
			require.NoError(t, v.sendCode(t.Context(), contact{Phone: "+59899123456", Language: english}, "123456"))
		}
		require.Equal(t, 2*time.Second, time.Since(began))
	})
}
