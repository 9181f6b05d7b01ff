package httpclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/auth"
	"tandem/services/internal/problem"
	"tandem/services/internal/telemetry"
)

func serve(t *testing.T, o Options, h http.HandlerFunc) *Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return New(srv.URL, o)
}

func refuse(w http.ResponseWriter, p *problem.Error) {
	w.WriteHeader(p.Code.Status())
	_ = json.NewEncoder(w).Encode(p)
}

func TestGetTriesAgainWhatIsTemporaryAlone(t *testing.T) {
	var calls atomic.Int32
	codes := []problem.Code{problem.Unavailable, problem.Unavailable, ""}
	c := serve(t, Options{Retry: Retry{First: time.Millisecond}}, func(w http.ResponseWriter, _ *http.Request) {
		if code := codes[calls.Add(1)-1]; code != "" {
			refuse(w, problem.New(code, "restarting"))
			return
		}
		_, _ = io.WriteString(w, `{"n":7}`)
	})

	var out struct{ N int }
	require.NoError(t, c.Get(t.Context(), "/", &out))
	require.Equal(t, 7, out.N)
	require.EqualValues(t, 3, calls.Load())

	codes = append(codes, problem.NotFound)
	err := c.Get(t.Context(), "/", &out)
	require.Equal(t, problem.NotFound, problem.From(err).Code)
	require.EqualValues(t, 4, calls.Load(), "a 404 stays one")
}

func TestRetryEnds(t *testing.T) {
	c := New("http://127.0.0.1:1", Options{Retry: Retry{First: time.Millisecond, Most: time.Millisecond, For: 20 * time.Millisecond}})
	require.ErrorIs(t, c.Get(t.Context(), "/", nil), ErrUnreachable, "after For")

	c = New("http://127.0.0.1:1", Options{Retry: Retry{First: time.Millisecond}})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, c.Get(ctx, "/", nil), context.DeadlineExceeded, "with the context")
}

func TestAnAnswerWithoutAProblemIsOneToo(t *testing.T) {
	for status, want := range map[int]problem.Code{502: problem.Unavailable, 504: problem.Unavailable, 500: problem.Internal, 404: problem.Internal} {
		c := serve(t, Options{}, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "<html>bad gateway</html>")
		})
		got, err := c.Once(t.Context(), Request{Method: http.MethodGet, Path: "/"})
		require.Equal(t, status, got)
		require.Equal(t, want, problem.From(err).Code, status)
	}
}

func TestRequestsCarryTokenTraceAndHeaders(t *testing.T) {
	signer, err := auth.NewSigner([]byte(strings.Repeat("k", 32)))
	require.NoError(t, err)
	trace := strings.Repeat("ab", 16)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, err := signer.Verify(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		if err != nil || id != (auth.Identity{Subject: "w1", Role: auth.Service}) || r.Header.Get("X-A") != "b" || !strings.HasPrefix(r.Header.Get(telemetry.Header), "00-"+trace+"-") {
			refuse(w, problem.New(problem.Forbidden, "%v %v", id, r.Header))
			return
		}
		_, _ = io.Copy(w, r.Body)
	}))
	defer srv.Close()

	var out string
	status, err := ForService(srv.URL, signer, "w1").Do(WithTraceID(t.Context(), trace), Request{
		Method: http.MethodPost, Path: "/", In: "echo", Out: &out, Header: map[string]string{"X-A": "b"},
	})
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "echo", out)
}

func TestFetchedTokensAreKeptUntilTheyAreAboutToExpire(t *testing.T) {
	fetched := 0
	life := time.Hour
	source := Fetched(func(context.Context) (string, time.Time, error) {
		fetched++
		return fmt.Sprint("t", fetched), time.Now().Add(life), nil
	})
	for range 3 {
		token, err := source(t.Context())
		require.NoError(t, err)
		require.Equal(t, "t1", token)
	}

	life = renewBefore / 2
	source = Fetched(func(context.Context) (string, time.Time, error) {
		fetched++
		return "", time.Now().Add(life), nil
	})
	for range 2 {
		_, err := source(t.Context())
		require.NoError(t, err)
	}
	require.Equal(t, 3, fetched)

	away := errors.New("away")
	_, err := Fetched(func(context.Context) (string, time.Time, error) { return "", time.Time{}, away })(t.Context())
	require.ErrorIs(t, err, away)
}

// An event counts when it is whole: one that was cut is neither yielded nor does
// its id count.
func TestEventsEndAsTheStreamDoes(t *testing.T) {
	var cut bool
	c := serve(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, ": hello\n\nid: 1\nevent: a\ndata: %s after %s\n\ndata: two\ndata: lines\n\nid: 3\ndata: cut",
			r.Header.Get("Accept"), r.Header.Get("Last-Event-ID"))
		w.(http.Flusher).Flush()
		if cut {
			panic(http.ErrAbortHandler)
		}
	})
	read := func() (events []string, err error) {
		for e, err := range c.Events(t.Context(), "/", "x") {
			if err != nil {
				return events, err
			}
			events = append(events, e.ID+" "+string(e.Data))
		}
		return events, nil
	}
	want := []string{"1 text/event-stream after x", "1 two\nlines"}

	events, err := read()
	require.NoError(t, err)
	require.Equal(t, want, events)

	cut = true
	events, err = read()
	require.ErrorIs(t, err, ErrUnreachable)
	require.Equal(t, want, events)
}

func TestEventsEndWhereTheServerRefusesOrIsSilent(t *testing.T) {
	c := serve(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refused" {
			refuse(w, problem.New(problem.NotFound, "no such ride"))
			return
		}
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	c.silence = 20 * time.Millisecond

	for path, want := range map[string]func(error) bool{
		"/refused": func(err error) bool { return problem.From(err).Code == problem.NotFound },
		"/silent":  func(err error) bool { return errors.Is(err, ErrUnreachable) },
	} {
		ends := 0
		for _, err := range c.Events(t.Context(), path, "") {
			require.True(t, want(err), "%s: %v", path, err)
			ends++
		}
		require.Equal(t, 1, ends, path)
	}
}
