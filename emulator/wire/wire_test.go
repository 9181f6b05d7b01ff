package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func service(ops map[string]Op) Service {
	return Service{Prefix: "Test", ContentType: "application/x-amz-json-1.1", Ops: ops}
}

func call(t *testing.T, s Service, op, body string) *httptest.ResponseRecorder {
	t.Helper()
	rec := httptest.NewRecorder()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if op == "GiveUp" {
		cancel()
	}

	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(body))
	s.Serve(rec, r, "Test."+op, slog.New(slog.DiscardHandler))
	return rec
}

func TestAnswers(t *testing.T) {
	released := false
	s := service(map[string]Op{
		"Echo": Handle(func(_ context.Context, in struct{ Text string }) (map[string]string, error) {
			return map[string]string{"Text": in.Text}, nil
		}),
		"Raw": func(context.Context, []byte) (any, error) {
			return Raw{[]byte(`{"a":1}`), func() { released = true }}, nil
		},
		"Refuse": func(context.Context, []byte) (any, error) { return nil, Bad("LimitExceededException", "too many") },
		"Fail":   func(context.Context, []byte) (any, error) { return nil, errors.New("disk") },
		"GiveUp": func(ctx context.Context, _ []byte) (any, error) { return nil, ctx.Err() },
		"Panic":  func(context.Context, []byte) (any, error) { panic("x") },
	})

	for _, tc := range []struct {
		op, body string
		status   int
		answer   string
	}{
		{"Echo", `{"Text":"hi"}`, 200, `{"Text":"hi"}`},
		{"Echo", `{`, 400, `SerializationException`},
		{"Raw", `{}`, 200, `{"a":1}`},
		{"Refuse", `{}`, 400, `LimitExceededException`},
		{"Fail", `{}`, 500, `InternalFailure`},
		{"Panic", `{}`, 500, `InternalFailure`},
		{"GiveUp", `{}`, 503, `ServiceUnavailable`},
		{"Unheard", `{}`, 400, `UnsupportedOperation`},
		{"Echo", `{"Text":"` + strings.Repeat("x", MaxBody) + `"}`, 400, `SerializationException`},
	} {
		rec := call(t, s, tc.op, tc.body)
		require.Equal(t, tc.status, rec.Code, tc.op)
		require.Contains(t, rec.Body.String(), tc.answer, tc.op)
		require.Equal(t, "application/x-amz-json-1.1", rec.Header().Get("Content-Type"))
	}
	require.True(t, released)
}

// What is encoded here, the SDK's decoder reads.
func TestMessagesAreTheSDKs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var raw []byte
		type sent struct {
			name    string
			payload []byte
		}

		var all []sent
		for range rapid.IntRange(1, 5).Draw(t, "messages") {
			s := sent{rapid.StringN(1, 40, 100).Draw(t, "name"), rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "payload")}
			raw = appendMessage(raw, s.payload, ":message-type", "event", ":event-type", s.name)
			all = append(all, s)
		}

		decoder, r := eventstream.NewDecoder(), bytes.NewReader(raw)
		for _, s := range all {
			m, err := decoder.Decode(r, nil)
			require.NoError(t, err)
			require.Equal(t, s.name, m.Headers.Get(":event-type").String())
			require.True(t, bytes.Equal(s.payload, m.Payload))
		}

		_, err := decoder.Decode(r, nil)
		require.ErrorIs(t, err, io.EOF)
	})
}

// A stream outlives the server's deadlines, which are for short answers,
// and ends with an exception.
func TestAStreamOutlivesTheServersDeadlines(t *testing.T) {
	const deadline = 50 * time.Millisecond
	s := service(map[string]Op{"Watch": func(context.Context, []byte) (any, error) {
		return Stream(func(ctx context.Context, e *Events) error {
			for range 4 {
				select {
				case <-time.After(deadline):
				case <-ctx.Done():
					return ctx.Err()
				}
				if err := e.Send("Tick", []byte(`{}`)); err != nil {
					return err
				}
			}
			return Bad("ResourceInUseException", "another one")
		}), nil
	}})

	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.Serve(w, r, "Test.Watch", slog.New(slog.DiscardHandler))
	}))
	srv.Config.ReadTimeout, srv.Config.WriteTimeout = deadline, deadline
	srv.Start()
	defer srv.Close()
	resp, err := http.Post(srv.URL, "application/json", strings.NewReader("{}"))
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	require.Equal(t, "application/vnd.amazon.eventstream", resp.Header.Get("Content-Type"))

	var got []string
	decoder := eventstream.NewDecoder()
	for {
		m, err := decoder.Decode(resp.Body, nil)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)

		if v := m.Headers.Get(":event-type"); v != nil {
			got = append(got, v.String())
			continue
		}

		got = append(got, m.Headers.Get(":exception-type").String())
		require.JSONEq(t, `{"message":"another one"}`, string(m.Payload))
	}
	require.Equal(t, []string{"initial-response", "Tick", "Tick", "Tick", "Tick", "ResourceInUseException"}, got)
}

func FuzzSeconds(f *testing.F) {
	f.Add([]byte("1459799926.480"))
	f.Add([]byte("-1"))
	f.Add([]byte("1e300"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var at Seconds
		if json.Unmarshal(b, &at) != nil {
			return
		}

		text, err := json.Marshal(at)
		require.NoError(t, err)
		var again Seconds
		require.NoError(t, json.Unmarshal(text, &again))
		require.Equal(t, time.Time(at).UnixMilli(), time.Time(again).UnixMilli(), string(text))
	})
}
