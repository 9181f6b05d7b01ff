package notification

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/queue/sqsworker"
)

// code returns the code in the last text that was sent.
func (r *recorder) code(t *testing.T) string {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	require.NotEmpty(t, r.sent)
	code := regexp.MustCompile(`\b[0-9]{6}\b`).FindString(r.sent[len(r.sent)-1])
	require.NotEmpty(t, code, r.sent)
	return code
}

// other returns a code that is not this one.
func other(code string) string {
	n, _ := strconv.Atoi(code)
	return fmt.Sprintf("%06d", (n+1)%1_000_000)
}

func verification(t *testing.T) (*verifier, *recorder, *handler) {
	t.Helper()
	h, sms, _ := setup(t)
	signer, err := auth.NewSigner(bytes.Repeat([]byte("k"), 32))
	require.NoError(t, err)
	return &verifier{store: h.store, sms: sms, pace: h.pace, keyed: signer}, sms, h
}

// leaves stores a phone of a rider that is not verified.
func leaves(t *testing.T, v *verifier, rider string, to phone) {
	t.Helper()
	c, err := v.store.putContact(t.Context(), rider, contact{Phone: to, Language: english, Verified: true})
	require.NoError(t, err)
	require.False(t, c.Verified)
}

func later(t *testing.T, s *store, d time.Duration) {
	t.Helper()
	_, err := s.pool.Exec(t.Context(), `UPDATE notification.codes SET created_at = created_at - $1::interval`, d)
	require.NoError(t, err)
}

const look = 10 * time.Millisecond

const evil = "win at evil.example"

// Every member of a notice that a client, an operator or another service fills in
// is tried with words.
func TestNobodysWordsReachAnSMS(t *testing.T) {
	t.Parallel()
	h, sms, _ := setup(t)
	verified(t, h, "ana", "+59899123456", english)
	verified(t, h, evil, "+59899123457", spanish)
	for typ := range kinds() {
		for _, rider := range []string{"ana", evil} {
			e, err := event.New(uuid.Must(uuid.NewV7()).String(), typ, time.Now(),
				event.RideNotice{RideID: newRide(), RiderID: rider, DriverID: evil, Plate: "SAB 1234 " + evil, Reason: evil})
			require.NoError(t, err)
			body, err := json.Marshal(e)
			require.NoError(t, err)
			require.Equal(t, sqsworker.Done(), h.handle(t.Context(), sqsworker.Message{Body: body, Receives: 1}))
		}
	}

	require.Len(t, sms.sent, 2*len(kinds()))
	for _, s := range sms.sent {
		require.NotContains(t, s, "evil")
	}
}

func TestThatAnOperatorEndedTheRideIsSaid(t *testing.T) {
	for _, l := range []string{english, spanish} {
		for _, kind := range []string{"completed", "cancelled"} {
			said := text(l, notice{Kind: kind, RideNotice: event.RideNotice{Reason: event.ReasonOperator}})
			require.NotEqual(t, text(l, notice{Kind: kind}), said)
			require.Contains(t, strings.ToLower(said), "opera")
		}
	}
}

func TestNoTextBeforeTheNumberIsVerified(t *testing.T) {
	t.Parallel()
	v, sms, h := verification(t)
	leaves(t, v, "ana", "+59899123456")
	ride := newRide()
	require.Equal(t, sqsworker.Done(), h.handle(t.Context(), message(t, event.TypeRideArrived, "ana", ride)))
	require.Empty(t, sms.sent)
	out, err := h.store.deliveries(t.Context(), ride)
	require.NoError(t, err)
	require.Len(t, out, 1, "none was ever to be sent")

	require.NoError(t, v.send(t.Context(), "ana"))
	require.Len(t, sms.sent, 1)
	require.Equal(t, "+59899123456 Your Tandem code is "+sms.code(t)+". It is good for 10 minutes. Tell it to nobody.", sms.sent[0])
	require.NoError(t, v.confirm(t.Context(), "ana", sms.code(t)))
	require.Equal(t, sqsworker.Done(), h.handle(t.Context(), message(t, event.TypeRideArrived, "ana", newRide())))
	require.Len(t, sms.sent, 2)

	// The same number stays verified, another does not.
	c, err := v.store.putContact(t.Context(), "ana", contact{Phone: "+59899123456", Language: spanish})
	require.NoError(t, err)
	require.True(t, c.Verified)
	leaves(t, v, "ana", "+59899000000")
	require.Equal(t, sqsworker.Done(), h.handle(t.Context(), message(t, event.TypeRideArrived, "ana", newRide())))
	require.Len(t, sms.sent, 2)
}

func TestACodeIsGoodOnceForAWhileForItsRiderAndNumber(t *testing.T) {
	t.Parallel()
	v, sms, _ := verification(t)
	ctx := t.Context()
	leaves(t, v, "ana", "+59899123456")
	leaves(t, v, "bea", "+59899123456")
	require.NoError(t, v.send(ctx, "ana"))
	first := sms.code(t)
	require.ErrorIs(t, v.confirm(ctx, "bea", first), errNoCode, "another rider's")

	leaves(t, v, "ana", "+59899000000")
	require.ErrorIs(t, v.confirm(ctx, "ana", first), errNoCode, "another number's")
	leaves(t, v, "ana", "+59899123456")

	require.NoError(t, v.send(ctx, "ana"))
	second := sms.code(t)
	if first != second {
		var wrong *wrongCodeError
		require.ErrorAs(t, v.confirm(ctx, "ana", first), &wrong, "only the newest counts")
	}
	later(t, v.store, codeLife)
	require.ErrorIs(t, v.confirm(ctx, "ana", second), errNoCode, "too old")

	require.NoError(t, v.send(ctx, "ana"))
	later(t, v.store, codeLife-time.Minute)
	third := sms.code(t)
	require.NoError(t, v.confirm(ctx, "ana", third))
	require.ErrorIs(t, v.confirm(ctx, "ana", third), errNoCode, "used")
	require.ErrorIs(t, v.send(ctx, "ana"), errVerified)
	require.ErrorIs(t, v.send(ctx, "nobody"), errNoPhone)
}

func TestACodeIsGuessedAtFiveTimesHoweverManyGuessAtOnce(t *testing.T) {
	t.Parallel()
	v, sms, _ := verification(t)
	leaves(t, v, "ana", "+59899123456")
	require.NoError(t, v.send(t.Context(), "ana"))
	code := sms.code(t)

	var wg sync.WaitGroup
	errs := make(chan error, 30)
	for range cap(errs) {
		wg.Go(func() { errs <- v.confirm(t.Context(), "ana", other(code)) })
	}
	wg.Wait()
	close(errs)

	wrong := 0
	for err := range errs {
		var w *wrongCodeError
		if errors.As(err, &w) {
			wrong++
		} else {
			require.ErrorIs(t, err, errNoCode)
		}
	}
	require.Equal(t, codeTries, wrong)
	require.ErrorIs(t, v.confirm(t.Context(), "ana", code), errNoCode, "the right one comes too late")
}

func TestACodeIsNotInTheDatabase(t *testing.T) {
	t.Parallel()
	v, sms, _ := verification(t)
	leaves(t, v, "ana", "+59899123456")
	require.NoError(t, v.send(t.Context(), "ana"))

	var mac []byte
	var id, row string
	require.NoError(t, v.store.pool.QueryRow(t.Context(), `SELECT id, mac, to_jsonb(k) - 'id' - 'created_at' - 'mac' FROM notification.codes k`).Scan(&id, &mac, &row))
	require.NotContains(t, row, sms.code(t))
	require.NotContains(t, string(mac), sms.code(t))

	elsewhere, err := auth.NewSigner(bytes.Repeat([]byte("x"), 32))
	require.NoError(t, err)
	guess, err := (&verifier{keyed: elsewhere}).mac(id, sms.code(t))
	require.NoError(t, err)
	require.NotEqual(t, mac, guess, "without the signing key the right code cannot be told")
}

func TestCodesAreCapped(t *testing.T) {
	t.Parallel()
	v, sms, _ := verification(t)
	ctx := t.Context()
	var capped *cappedError

	leaves(t, v, "ana", "+59899123456")
	for range codesPerRider - 1 {
		require.NoError(t, v.send(ctx, "ana"))
	}

	// While one request takes the last place, another waits, and then sees that it is taken.
	tx, err := v.store.pool.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	_, err = tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, codesLock)
	require.NoError(t, err)
	second := make(chan error, 1)
	go func() { second <- v.send(ctx, "ana") }()
	require.Eventually(t, func() bool {
		var waits bool
		require.NoError(t, v.store.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_locks WHERE objid = $1 AND NOT granted)`, codesLock).Scan(&waits))
		return waits
	}, patient, look)
	_, err = tx.Exec(ctx, `INSERT INTO notification.codes (id, rider_id, phone, mac) VALUES (gen_random_uuid(), 'ana', '+59899123456', '')`)
	require.NoError(t, err)
	require.NoError(t, tx.Commit(ctx))
	require.ErrorAs(t, <-second, &capped, "for a rider")

	leaves(t, v, "ana", "+59899000000")
	require.ErrorAs(t, v.send(ctx, "ana"), &capped, "also to another number")
	require.Greater(t, capped.again, 23*time.Hour)
	require.LessOrEqual(t, capped.again, 24*time.Hour)

	leaves(t, v, "bea", "+59899123456")
	require.ErrorAs(t, v.send(ctx, "bea"), &capped, "for a number, whoever asks")
	leaves(t, v, "bea", "+59899111111")
	require.NoError(t, v.send(ctx, "bea"))

	_, err = v.store.pool.Exec(ctx, `INSERT INTO notification.codes (id, rider_id, phone, mac) SELECT gen_random_uuid(), 'r' || i, '+1' || i, '' FROM generate_series(1, $1) i`,
		codesInAll-codesPerRider-1)
	require.NoError(t, err)
	require.ErrorAs(t, v.send(ctx, "bea"), &capped, "for all")
	require.Len(t, sms.sent, codesPerRider)

	later(t, v.store, 24*time.Hour)
	require.NoError(t, v.send(ctx, "ana"))
}

func TestACodeThatWasNotSentUsesNothingUp(t *testing.T) {
	t.Parallel()
	v, sms, _ := verification(t)
	leaves(t, v, "ana", "+59899123456")
	sms.away = 3 * codesPerRider
	for sms.away > 0 {
		require.ErrorIs(t, v.send(t.Context(), "ana"), errSMS)
	}
	require.NoError(t, v.send(t.Context(), "ana"))
	require.NoError(t, v.confirm(t.Context(), "ana", sms.code(t)))
}

func TestWhatAClientIsToldOfCodes(t *testing.T) {
	t.Parallel()
	v, sms, _ := verification(t)
	api, err := httpserver.NewHandler(t.Context(), httpserver.Options{
		Name: "notification", Auth: v.keyed, Routes: routes(v.store, v, nil),
		Env: lifecycle.Env{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()},
	})
	require.NoError(t, err)
	call := func(rider, path, body string) *httptest.ResponseRecorder {
		token, err := v.keyed.Sign(auth.Identity{Subject: rider, Role: auth.Rider}, time.Minute)
		require.NoError(t, err)
		r := httptest.NewRequest(http.MethodPost, path, io.NopCloser(strings.NewReader(body)))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		return w
	}

	require.Equal(t, http.StatusConflict, call("ana", "/v1/contact/code", "").Code, "no number")
	leaves(t, v, "ana", "+59899123456")
	require.Equal(t, http.StatusNoContent, call("ana", "/v1/contact/code", "").Code)
	w := call("ana", "/v1/contact/verify", `{"code":"`+other(sms.code(t))+`"}`)
	require.Equal(t, http.StatusBadRequest, w.Code)
	require.Contains(t, w.Body.String(), "Tries left: 4.")

	leaves(t, v, "bea", "+59899000000")
	sms.away = 1
	require.Equal(t, http.StatusServiceUnavailable, call("bea", "/v1/contact/code", "").Code)
	sms.err = errNeverDelivered
	require.Equal(t, http.StatusBadRequest, call("bea", "/v1/contact/code", "").Code)
	sms.err = nil

	leaves(t, v, "eva", "+59899111111")
	for range codesPerRider {
		require.NoError(t, v.send(t.Context(), "eva"))
	}
	w = call("eva", "/v1/contact/code", "")
	require.Equal(t, http.StatusTooManyRequests, w.Code)
	after, err := strconv.Atoi(w.Header().Get("Retry-After"))
	require.NoError(t, err)
	require.InDelta(t, 24*60*60, after, 60*60)
}

func TestTextsBeyondARidersCapAreSettledCountedAndSeen(t *testing.T) {
	t.Parallel()
	h, sms, _ := setup(t)
	ctx, ride := t.Context(), newRide()
	verified(t, h, "ana", "+59899123456", english)
	verified(t, h, "bea", "+59899123457", english)
	const beyond = 5

	var wg sync.WaitGroup
	for range smsPerRider + beyond { // at once, as of many rides
		m := message(t, event.TypeRideArrived, "ana", ride)
		wg.Go(func() {
			for range 2 { // and each twice
				h.handle(ctx, m)
			}
		})
	}
	wg.Wait()
	require.Len(t, sms.sent, smsPerRider)
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(h.notSent)
	families, err := metrics.Gather()
	require.NoError(t, err)
	require.InDelta(t, beyond, families[0].Metric[0].Counter.GetValue(), 0)

	out, err := h.store.deliveries(ctx, ride)
	require.NoError(t, err)
	notSent, inbox := 0, 0
	for _, d := range out {
		if d.Channel == "inbox" {
			inbox++
		}
		if d.State == "not_sent" {
			notSent++
			require.Equal(t, "not sent: cap of 40 texts a rider in 24 hours", *d.Error)
		}
	}
	require.Equal(t, beyond, notSent)
	require.Equal(t, smsPerRider+beyond, inbox, "the inbox has them all")

	require.Equal(t, sqsworker.Done(), h.handle(ctx, message(t, event.TypeRideArrived, "bea", newRide())))
	require.Len(t, sms.sent, smsPerRider+1, "the cap is each rider's own")
	_, err = h.store.pool.Exec(ctx, `UPDATE notification.deliveries SET created_at = created_at - interval '1 day'`)
	require.NoError(t, err)
	require.Equal(t, sqsworker.Done(), h.handle(ctx, message(t, event.TypeRideArrived, "ana", newRide())))
	require.Len(t, sms.sent, smsPerRider+2, "and a day's")
}

func TestATextWhoseNumberWasTakenAwayIsSettled(t *testing.T) {
	t.Parallel()
	h, sms, _ := setup(t)
	ctx := t.Context()
	for _, claimed := range []bool{false, true} {
		verified(t, h, "ana", "+59899123456", english)
		ride := newRide()
		m := message(t, event.TypeRideArrived, "ana", ride)
		n, err := decode(m.Body)
		require.NoError(t, err)
		_, err = h.store.putInbox(ctx, n)
		require.NoError(t, err)
		if claimed { // by a worker that dies
			_, err = h.store.claimSMS(ctx, n.EventID, time.Hour)
			require.NoError(t, err)
			h.claim = 0
		}

		_, err = h.store.putContact(ctx, "ana", contact{Phone: map[bool]phone{true: "+59899000000"}[claimed], Language: english})
		require.NoError(t, err)
		require.Equal(t, sqsworker.Done(), h.handle(ctx, m))
		require.Empty(t, sms.sent)
		out, err := h.store.deliveries(ctx, ride)
		require.NoError(t, err)
		require.Equal(t, "not_sent", out[1].State)
	}
}
