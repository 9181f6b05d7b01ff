package kinesis

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/stretchr/testify/require"
)

// pipe is an answer that is read while it is written.
type pipe struct {
	io.Writer
	status int
	header http.Header
}

func (p *pipe) Header() http.Header    { return p.header }
func (p *pipe) WriteHeader(status int) { p.status = status }
func (p *pipe) Flush()                 {}

// told is an event as it came, in the time of the test.
type told struct {
	after        time.Duration
	kind         string
	Records      []given
	Continuation string `json:"ContinuationSequenceNumber"`
	Behind       int64  `json:"MillisBehindLatest"`
	Message      string
}

// listen subscribes without a network, so that a test's clock rules; the events
// come until the answer ends.
func listen(ctx context.Context, t *testing.T, s *Service, arn string) <-chan told {
	t.Helper()
	r, w := io.Pipe()
	start := time.Now()
	go func() {
		body := fmt.Sprintf(`{"ConsumerARN":%q,"ShardId":%q,"StartingPosition":{"Type":"TRIM_HORIZON"}}`, arn, *shardOf(0))
		req := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(body))
		req.Header.Set("X-Amz-Target", "Kinesis_20131202.SubscribeToShard")
		answer := &pipe{Writer: w, header: http.Header{}}
		handler(s)(answer, req)
		_ = w.Close()
	}()
	out := make(chan told, 10_000)
	go func() {
		defer close(out)
		decoder := eventstream.NewDecoder()
		var head bytes.Buffer

		for {
			m, err := decoder.Decode(io.TeeReader(r, &head), nil)
			if err != nil {
				if head.Len() > 0 && head.Bytes()[0] == '{' { // an error instead of a stream
					rest, _ := io.ReadAll(r)
					out <- told{kind: "refused", Message: head.String() + string(rest)}
				}
				return
			}
			head.Reset()
			e := told{after: time.Since(start)}

			for _, name := range []string{":event-type", ":exception-type"} {
				if v := m.Headers.Get(name); v != nil {
					e.kind = v.String()
				}
			}

			if err := json.Unmarshal(m.Payload, &e); err != nil {
				e.kind = err.Error()
			}
			out <- e
		}
	}()

	return out
}

func arnOf(t *testing.T, s *Service, name string) string {
	t.Helper()
	require.NoError(t, s.Register("stream", name))
	return s.streams["stream"].info.consumer(name).arn("stream")
}

func quiet(t *testing.T, o Options) *Service {
	t.Helper()
	s, err := Open(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Create("stream", 1, 24))

	return s
}

// Without records an event comes with each heartbeat, each with a continuation that is
// further on; after 5 minutes the answer ends without an error.
func TestASubscriptionLastsFiveMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := quiet(t, Options{Dir: t.TempDir()})
		events := listen(t.Context(), t, s, arnOf(t, s, "map"))
		require.Equal(t, "initial-response", (<-events).kind)

		var last told
		n := 0
		for e := range events {
			require.Equal(t, "SubscribeToShardEvent", e.kind, e.Message)
			require.Equal(t, time.Duration(n)*heartbeatEvery, e.after)
			require.GreaterOrEqual(t, e.Continuation, last.Continuation)
			last = e
			n++
		}

		require.GreaterOrEqual(t, last.after, 5*time.Minute-heartbeatEvery)
		require.LessOrEqual(t, last.after, 5*time.Minute)
	})
}

// Within 5 s of a successful call another one is refused, whether or not the
// first still answers; after that it takes over.
func TestTakingOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := quiet(t, Options{Dir: t.TempDir()})
		arn := arnOf(t, s, "map")
		first := listen(t.Context(), t, s, arn)
		<-first
		time.Sleep(takeOverAfter - time.Millisecond)
		refused := <-listen(t.Context(), t, s, arn)
		require.Contains(t, refused.Message, "ResourceInUseException")

		time.Sleep(time.Millisecond)
		second := listen(t.Context(), t, s, arn)
		require.Equal(t, "initial-response", (<-second).kind)

		var last told
		for last = range first {
		}
		require.Equal(t, "ResourceInUseException", last.kind)
		require.Equal(t, takeOverAfter, last.after)

		for last = range second {
		}
		require.Equal(t, "SubscribeToShardEvent", last.kind, "the second one ends by its age alone")

		ctx, leave := context.WithCancel(t.Context())
		third := listen(ctx, t, s, arn)
		<-third
		leave()
		for range third {
		}

		require.Contains(t, (<-listen(t.Context(), t, s, arn)).Message, "ResourceInUseException", "5 s count from the call, not from its end")
	})
}

// A subscription's backlog comes at 2 MB/s, and says how far behind it is; the
// other consumer's comes just as fast.
func TestFanOutIsPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := quiet(t, Options{Dir: t.TempDir(), Limits: true})
		big := strings.Repeat("x", 1<<20-1)
		const records = 20

		for range records {
			putOne(t, s, "k", big)
			time.Sleep(time.Second) // 1 MB/s in
		}

		for _, name := range []string{"one", "two"} {
			events := listen(t.Context(), t, s, arnOf(t, s, name))
			<-events
			n, behind := 0, int64(1<<62)

			for n < records {
				e := <-events
				n += len(e.Records)
				require.LessOrEqual(t, e.Behind, behind)

				behind = e.Behind
				rest := float64(n) - float64(readBytes>>20) // the first second's worth is free
				require.InDelta(t, max(0, rest/2), e.after.Seconds(), 1.01)
			}

			require.Zero(t, behind)
		}
	})
}
