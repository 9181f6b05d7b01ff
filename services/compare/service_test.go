package compare

import (
	"context"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"tandem/localstack"
	"tandem/services/domain/event"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/problem"
)

func TestNothingRunsWithoutAViewer(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	calls := 0
	g := newStage(t)
	cfg := g.aws
	cfg.WrapTransport = func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			calls++
			mu.Unlock()
			return next.RoundTrip(r)
		})
	}
	awsCfg, err := awsclient.New(t.Context(), cfg)
	require.NoError(t, err)
	s := newService(newCloud(awsCfg), 100*time.Millisecond, slog.New(slog.DiscardHandler))
	s.after = viewerFor + time.Second
	ctx, stop := context.WithCancel(t.Context())
	count := func() int { mu.Lock(); defer mu.Unlock(); return calls }

	for range 3 {
		s.turn(ctx)
	}
	require.Empty(t, s.detail().Session, "nobody has looked")
	require.Zero(t, count())
	ended := make(chan error, 1)
	go func() { ended <- s.keep(ctx) }()

	began := time.Now()
	require.Eventually(t, func() bool {
		now, _, yours, err := s.look("ann")
		return err == nil && yours && now != nil && count() > 0
	}, patience, 10*time.Millisecond)
	require.Eventually(t, func() bool { return s.detail().Viewers == 0 }, patience, 10*time.Millisecond)
	require.NotEmpty(t, s.detail().Session, "who comes back soon finds it")
	require.Eventually(t, func() bool { return s.detail().Session == "" }, patience, 10*time.Millisecond)
	require.Greater(t, time.Since(began), s.after)
	require.Zero(t, s.detail().Viewers)

	// A session that has ended has ended its calls with it.
	require.Eventually(t, func() bool {
		at := count()
		time.Sleep(2 * keepEvery)
		return count() == at
	}, patience, time.Millisecond)
	stop()
	require.NoError(t, <-ended)
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestOneViewerPressesAndTheOthersWatch(t *testing.T) {
	t.Parallel()
	g := newStage(t)
	g.until("a session starts", func(v View) bool { return v.State == stateRunning })
	v := g.lookAs("bob", "")
	require.False(t, v.Yours)
	require.Equal(t, 2, v.Viewers)

	press := func(viewer, act string) int {
		status, _ := g.ask(http.MethodPost, "/v1/compare/acts", map[string]string{"viewer": viewer, "act": act})
		return status
	}
	require.Equal(t, http.StatusConflict, press("bob", ActLate))
	require.Equal(t, http.StatusBadRequest, press("nobody", ActLate), "who does not look")
	require.Equal(t, http.StatusBadRequest, press("ann", "explode"))
	require.Equal(t, http.StatusConflict, press("ann", ActSkip), "there are no jobs")
	require.Empty(t, g.look().Acts)

	for _, path := range []string{"/v1/compare", "/v1/compare?viewer=a%20b", "/v1/compare?viewer=ann&cursor=x", "/v1/compare?viewer=ann&cursor=" + strings.Replace(v.Cursor, ".0.", ".-5.", 1)} {
		status, _ := g.ask(http.MethodGet, path, nil)
		require.Equal(t, http.StatusBadRequest, status, path)
	}

	// Once ann has left, bob has the buttons, and the session goes on.
	for end := time.Now().Add(patience); ; time.Sleep(200 * time.Millisecond) {
		b := g.lookAs("bob", "")
		require.Equal(t, v.Session, b.Session)
		if b.Viewers == 1 {
			break
		}
		require.True(t, time.Now().Before(end), "ann leaves")
	}
	require.Equal(t, http.StatusNoContent, press("bob", ActLate))
	require.True(t, g.lookAs("bob", "").Yours)
}

func TestWhoPressesNoMoreLosesTheButtonsToWhoDoes(t *testing.T) {
	t.Parallel()
	s := newService(newCloud(aws.Config{}), time.Second, slog.New(slog.DiscardHandler))
	look := func(viewer string) (yours bool) {
		_, _, yours, err := s.look(viewer)
		require.NoError(t, err)
		return yours
	}
	require.True(t, look("ann"))
	require.False(t, look("bob"))

	// There is no session, and only who has the buttons is told so.
	refused := func(viewer string) problem.Code {
		var p *problem.Error
		require.ErrorAs(t, s.press(t.Context(), viewer, ActLate), &p)
		return p.Code
	}
	require.Equal(t, problem.Conflict, refused("bob"))
	s.idle = 0
	require.Equal(t, problem.Unavailable, refused("bob"))
	s.idle = buttonsFor
	require.Equal(t, problem.Conflict, refused("ann"), "now they are bob's")
	require.True(t, look("bob"))
}

func TestABatchHasACarOnce(t *testing.T) {
	t.Parallel()
	n := newTee("s")
	for i, driver := range []string{"a", "a", "b", "b", "c"} {
		n.apply(event.Point{Driver: driver, At: int64(i)}, time.Now())
	}

	// What a driver sends at once waits behind the others', and keeps its order.
	type sent struct {
		n, car int
		at     int64
	}
	for _, want := range [][]sent{{{1, 0, 0}, {2, 1, 2}, {3, 2, 4}}, {{4, 0, 1}, {5, 1, 3}}, nil} {
		batch, toTopic := n.next()
		require.False(t, toTopic)
		var got []sent
		for _, m := range batch {
			got = append(got, sent{m.N, m.Car, m.At})
		}
		require.Equal(t, want, got)
	}
}

// What is not sent is not numbered for ever: the tee has a bound.
func TestTheTeeIsBounded(t *testing.T) {
	t.Parallel()
	n := newTee("s")
	for range maxPoints + 1 {
		n.apply(event.Point{Driver: "a"}, time.Now())
	}
	require.Len(t, n.points, maxWaiting)
	for range maxPoints * 2 {
		n.next()
		n.apply(event.Point{Driver: "a"}, time.Now())
	}
	require.Len(t, n.points, maxPoints)
}

// Services find queues, streams and topic by these names: the template must deploy
// them.
func TestNamesAreTheTemplates(t *testing.T) {
	t.Parallel()
	lines := []string{"QueueName: " + QueuePoints, "QueueName: " + QueueJobs, "QueueName: " + QueueJobsDead, "Name: " + StreamPoints, "Name: " + StreamJobs, "TopicName: " + TopicPoints}
	for _, q := range teamQueues() {
		lines = append(lines, "QueueName: "+q)
	}
	for _, line := range lines {
		require.Regexp(t, `(?m)^ +`+regexp.QuoteMeta(line)+`$`, string(localstack.Messaging))
	}
}
