package notification

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"tandem/services/domain/event"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/queue/sqsworker"
	"tandem/services/test/testenv"
)

// recorder is an smsSender that keeps what it was asked to send, or fails.
type recorder struct {
	mu   sync.Mutex
	sent []string
	err  error
	away int // so many sends fail, as they do while SNS is away
}

func (r *recorder) Send(_ context.Context, to phone, text string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.away > 0 {
		r.away--
		return "", errors.New("no route to host")
	}
	if r.err != nil {
		return "", r.err
	}
	r.sent = append(r.sent, string(to)+" "+text)
	return fmt.Sprintf("sms-%d", len(r.sent)), nil
}

func setup(t *testing.T) (*handler, *recorder, *bytes.Buffer) {
	t.Helper()
	_, pool := testenv.Database(t, Schema())
	sms, log := &recorder{}, &bytes.Buffer{}
	h := &handler{store: &store{pool: pool}, sms: sms, pace: rate.NewLimiter(rate.Inf, 1), claim: time.Hour, lab: &lab{}, log: slog.New(slog.NewJSONHandler(log, nil)), notSent: newNotSent()}
	h.sns, h.postgres = newDependencies()
	h.sns.Every = time.Millisecond
	return h, sms, log
}

// verified stores a verified phone of a rider.
func verified(t *testing.T, h *handler, rider string, to phone, language string) {
	t.Helper()
	_, err := h.store.putContact(t.Context(), rider, contact{Phone: to, Language: language})
	require.NoError(t, err)
	_, err = h.store.pool.Exec(t.Context(), `UPDATE notification.contacts SET verified_at = now() WHERE rider_id = $1`, rider)
	require.NoError(t, err)
}

func message(t *testing.T, typ, rider, ride string) sqsworker.Message {
	t.Helper()
	e, err := event.New(uuid.Must(uuid.NewV7()).String(), typ, time.Now(), event.RideNotice{RideID: ride, RiderID: rider, Plate: "SAB 1234"})
	require.NoError(t, err)
	body, err := json.Marshal(e)
	require.NoError(t, err)
	return sqsworker.Message{ID: "m", Group: ride, Body: body, Receives: 1}
}

func newRide() string { return uuid.Must(uuid.NewV7()).String() }

func TestEachEventOnceOnEachChannelHoweverOftenItComes(t *testing.T) {
	t.Parallel()
	h, sms, log := setup(t)
	ctx, ride := t.Context(), newRide()
	verified(t, h, "ana", "+59899123456", spanish)
	assigned, arrived := message(t, event.TypeRideAssigned, "ana", ride), message(t, event.TypeRideArrived, "ana", ride)
	for range 3 {
		require.Equal(t, sqsworker.Done(), h.handle(ctx, assigned))
	}

	var wg sync.WaitGroup
	for range 8 { // and beside each other
		wg.Go(func() { h.handle(ctx, arrived) })
	}
	wg.Wait()

	inbox, err := h.store.inbox(ctx, "ana", -1, 10)
	require.NoError(t, err)
	require.Len(t, inbox, 2)
	require.Equal(t, "Tu conductor está en camino, matrícula SAB 1234.", inbox[0].Text)
	require.Equal(t, "arrived", inbox[1].Kind)
	require.Equal(t, []string{
		"+59899123456 Tu conductor está en camino, matrícula SAB 1234.",
		"+59899123456 Tu conductor llegó, matrícula SAB 1234.",
	}, sms.sent)

	out, err := h.store.deliveries(ctx, ride)
	require.NoError(t, err)
	require.Len(t, out, 4)
	for _, d := range out {
		require.Equal(t, "sent", d.State)
	}

	require.NotContains(t, log.String(), "99123456", "the phone is masked in logs")
	require.Contains(t, log.String(), "+59***56")
}

func TestWithoutAContactOnlyTheInboxAndLaterContactsChangeNothing(t *testing.T) {
	t.Parallel()
	h, sms, _ := setup(t)
	ctx := t.Context()
	m := message(t, event.TypeRideCompleted, "bea", newRide())
	require.Equal(t, sqsworker.Done(), h.handle(ctx, m))
	verified(t, h, "bea", "+59899000111", english)
	require.Equal(t, sqsworker.Done(), h.handle(ctx, m))
	require.Empty(t, sms.sent)
	inbox, err := h.store.inbox(ctx, "bea", 0, 10)
	require.NoError(t, err)
	require.Len(t, inbox, 1)
	require.Equal(t, "You have arrived. Thank you for riding.", inbox[0].Text)
}

func TestThatSNSIsAwayIsNoFailureOfTheMessage(t *testing.T) {
	t.Parallel()
	h, sms, _ := setup(t)
	ctx, ride := t.Context(), newRide()
	verified(t, h, "ana", "+59899123456", english)
	m := message(t, event.TypeRideArrived, "ana", ride)
	m.Receives = event.Tries

	sms.away = 100
	require.Equal(t, sqsworker.Done(), h.handle(ctx, m), "also on the last try")
	require.Len(t, sms.sent, 1)
	out, err := h.store.deliveries(ctx, ride)
	require.NoError(t, err)
	require.Equal(t, 1, out[1].Tries)

	sms.err = fmt.Errorf("%w: bad number", errNeverDelivered)
	require.Equal(t, sqsworker.Done(), h.handle(ctx, message(t, event.TypeRidePickedUp, "ana", ride)), "trying again is of no use")
}

func TestAMessageThatIsCutShortIsReleased(t *testing.T) {
	t.Parallel()
	h, sms, _ := setup(t)
	verified(t, h, "ana", "+59899123456", english)
	m := message(t, event.TypeRideArrived, "ana", newRide())
	m.Receives = event.Tries

	draining, drain := context.WithCancel(t.Context())
	sms.away = 1 << 30
	result := make(chan sqsworker.Result, 1)
	go func() { result <- h.handle(draining, m) }()
	require.Eventually(t, func() bool { return h.sns.Err() != nil }, patient, time.Millisecond)
	drain()
	require.Equal(t, sqsworker.Release(), <-result, "it has not failed")

	sms.mu.Lock()
	sms.away = 0
	sms.mu.Unlock()
	require.Equal(t, sqsworker.Done(), h.handle(t.Context(), m), "its claim was given back")
}

const patient = 20 * time.Second

func TestAClaimOutlivesItsWorkerAndIsTakenOver(t *testing.T) {
	t.Parallel()
	h, sms, _ := setup(t)
	ctx := t.Context()
	verified(t, h, "ana", "+59899123456", english)
	m := message(t, event.TypeRideArrived, "ana", newRide())
	n, err := decode(m.Body)
	require.NoError(t, err)
	_, err = h.store.putInbox(ctx, n)
	require.NoError(t, err)
	c, err := h.store.claimSMS(ctx, n.EventID, h.claim) // and the worker dies here
	require.NoError(t, err)
	require.Equal(t, claimOurs, c.state)

	require.NotEqual(t, sqsworker.Done(), h.handle(ctx, m), "another worker's claim has its time")
	require.Empty(t, sms.sent)

	h.claim = 0
	require.Equal(t, sqsworker.Done(), h.handle(ctx, m))
	require.Len(t, sms.sent, 1)
}

func TestUnreadableMessagesAreDeadLettered(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"no json":      `{`,
		"version":      `{"id":"x","type":"ride.assigned","version":9}`,
		"unknown type": `{"id":"x","type":"ride.exploded","version":1,"data":{}}`,
		"ids":          `{"id":"x","type":"ride.assigned","version":1,"data":{"ride_id":"1","rider_id":"r"}}`,
		"data":         `{"id":"x","type":"ride.assigned","version":1,"data":[]}`,
	} {
		_, err := decode([]byte(body))
		require.Error(t, err, name)
		require.Equal(t, sqsworker.DeadLetter(err), (&handler{}).handle(t.Context(), sqsworker.Message{Body: []byte(body)}), name)
	}
}

func TestEveryKindHasATextInBothLanguages(t *testing.T) {
	seen := map[string]bool{}
	for _, kind := range kinds() {
		for _, l := range []string{english, spanish} {
			s := text(l, notice{Kind: kind})
			require.NotEmpty(t, s)
			require.False(t, seen[s], "%s twice", s)
			seen[s] = true
		}
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	h, sms, _ := setup(t)
	signer, err := auth.NewSigner(bytes.Repeat([]byte("k"), 32))
	require.NoError(t, err)
	api, err := httpserver.NewHandler(t.Context(), httpserver.Options{
		Name: "notification", Auth: signer, Routes: routes(h.store, &verifier{store: h.store, sms: sms, pace: h.pace, keyed: signer}, h.lab),
		Env: lifecycle.Env{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()},
	})
	require.NoError(t, err)

	call := func(role auth.Role, method, path, body string) (int, string) {
		token, err := signer.Sign(auth.Identity{Subject: "ana", Role: role}, time.Minute)
		require.NoError(t, err)
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}

	code, body := call(auth.Rider, http.MethodPut, "/v1/contact", `{"phone":"+59899123456","language":"es"}`)
	require.Equal(t, http.StatusOK, code, body)
	require.JSONEq(t, `{"phone":"+59899123456","language":"es","verified":false}`, body)
	code, body = call(auth.Rider, http.MethodPost, "/v1/contact/verify", `{"code":"123456"}`)
	require.Equal(t, http.StatusGone, code, body)
	code, body = call(auth.Rider, http.MethodPost, "/v1/contact/code", "")
	require.Equal(t, http.StatusNoContent, code, body)
	code, body = call(auth.Rider, http.MethodPost, "/v1/contact/verify", `{"code":"12345"}`)
	require.Equal(t, http.StatusBadRequest, code, body)
	code, body = call(auth.Rider, http.MethodPost, "/v1/contact/verify", `{"code":"`+sms.code(t)+`"}`)
	require.Equal(t, http.StatusOK, code, body)
	code, body = call(auth.Rider, http.MethodGet, "/v1/contact", "")
	require.Equal(t, http.StatusOK, code, body)
	require.JSONEq(t, `{"phone":"+59899123456","language":"es","verified":true}`, body)
	code, body = call(auth.Rider, http.MethodPost, "/v1/contact/code", "")
	require.Equal(t, http.StatusConflict, code, body)
	code, body = call(auth.Rider, http.MethodPut, "/v1/contact", `{"phone":"099 123 456","language":"es"}`)
	require.Equal(t, http.StatusBadRequest, code)
	require.Contains(t, body, `"field":"phone"`)
	code, _ = call(auth.Rider, http.MethodPut, "/v1/contact", `{"phone":"","language":"fr"}`)
	require.Equal(t, http.StatusBadRequest, code)

	ride := newRide()
	for _, typ := range []string{event.TypeRideAssigned, event.TypeRideArrived} {
		require.Equal(t, sqsworker.Done(), h.handle(t.Context(), message(t, typ, "ana", ride)))
	}
	require.Equal(t, sqsworker.Done(), h.handle(t.Context(), message(t, event.TypeRideAssigned, "bea", newRide())))

	var got struct{ Messages []inboxMessage }
	_, body = call(auth.Rider, http.MethodGet, "/v1/inbox", "")
	require.NoError(t, json.Unmarshal([]byte(body), &got))
	require.Len(t, got.Messages, 2, "a rider sees only its own")
	_, body = call(auth.Rider, http.MethodGet, fmt.Sprintf("/v1/inbox?after=%d", got.Messages[0].ID), "")
	require.NoError(t, json.Unmarshal([]byte(body), &got))
	require.Len(t, got.Messages, 1)
	require.Equal(t, "arrived", got.Messages[0].Kind)
	code, body = call(auth.Admin, http.MethodGet, "/v1/deliveries?ride_id="+ride, "")
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, 4, strings.Count(body, "event_id"))
	code, _ = call(auth.Rider, http.MethodGet, "/v1/deliveries?ride_id="+ride, "")
	require.Equal(t, http.StatusForbidden, code)
}
