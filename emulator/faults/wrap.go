package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"time"

	"tandem/emulator/sns"
	"tandem/emulator/wire"
)

// answerWithin is how long an operation may take once its latency is over.
const answerWithin = time.Minute

// Wrap puts the rules before next, which answers the clients of AWS. A request that
// no rule hits reaches next with its own ResponseWriter.
func (t *Table) Wrap(next http.Handler) http.Handler {
	if !t.o.On {
		return next
	}

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if t.empty() {
			next.ServeHTTP(w, r)
			return
		}

		// The body is needed more than once: to find the rules, and to do the call, perhaps
		// twice.
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, wire.MaxBody))
		if err != nil {
			fail(w, t.callOf(r, nil), wire.Bad("SerializationException", "The body cannot be read: %v", err))
			return
		}

		c := t.callOf(r, body)
		again := func() *http.Request {
			r.Body = io.NopCloser(bytes.NewReader(body))
			r.PostForm, r.Form = nil, nil
			return r
		}

		for _, h := range t.draw(c) {
			if done := h.apply(w, again, c, next); done {
				return
			}
		}
		next.ServeHTTP(w, again())
	})
}

// apply lets a request fail as the rule says; done reports that it was answered.
func (h hit) apply(w http.ResponseWriter, again func() *http.Request, c call, next http.Handler) (done bool) {
	switch h.Kind {
	case kindLatency:
		return wait(again().Context(), w, time.Duration(h.LatencyMS)*time.Millisecond)
	case kindError, kindExpired:
		fail(w, c, h.failure())
	case kindReset:
		reset(w)
	case kindLost:
		// The call is done, and the connection closed with nothing written.
		next.ServeHTTP(record(), again())
		panic(http.ErrAbortHandler)
	case kindDuplicate, kindReorder:
		answer := record()
		next.ServeHTTP(answer, again())

		if h.Kind == kindReorder {
			answer.shuffle(h.seed)
		} else {
			next.ServeHTTP(record(), again()) // the second answer is lost
		}
		answer.send(w)
	}
	return true
}

// wait waits for d; done reports that the client has gone.
func wait(ctx context.Context, w http.ResponseWriter, d time.Duration) (done bool) {
	control := http.NewResponseController(w)
	// The server's deadlines are for calls that don't wait.
	_ = control.SetReadDeadline(time.Time{}) // a ResponseWriter of a test has none
	_ = control.SetWriteDeadline(time.Now().Add(d + answerWithin))

	select {
	case <-time.After(d):
		return false
	case <-ctx.Done():
		return true
	}
}

// fail answers in the protocol of the call.
func fail(w http.ResponseWriter, c call, e *wire.Error) {
	if c.query {
		sns.Fail(w, e)
		return
	}
	wire.Service{ContentType: "application/x-amz-json-1.1"}.Fail(w, e)
}

// reset ends the connection with a RST: the client can't know what has arrived.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		// A ResponseWriter without a connection, such as a test's: the answer breaks off.
		panic(http.ErrAbortHandler)
	}

	// With a linger of 0 Close sends a RST and forgets what was not sent yet.
	if tcp, ok := conn.(interface{ SetLinger(int) error }); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// recorder keeps an answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func record() *recorder { return &recorder{header: http.Header{}, status: http.StatusOK} }

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) { r.status = status }

func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

// send writes the answer to the client.
func (r *recorder) send(w http.ResponseWriter) {
	maps.Copy(w.Header(), r.header)
	w.WriteHeader(r.status)
	_, _ = w.Write(r.body.Bytes()) // the client is gone if this fails
}

// shuffle puts the answer's Messages into another order.
func (r *recorder) shuffle(seed uint64) {
	var out map[string]json.RawMessage
	var messages []json.RawMessage
	if json.Unmarshal(r.body.Bytes(), &out) != nil || json.Unmarshal(out["Messages"], &messages) != nil {
		// It is an error, or nothing was received.
		return
	}

	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(messages), func(i, j int) { messages[i], messages[j] = messages[j], messages[i] })

	out["Messages"], _ = json.Marshal(messages) // of JSON: cannot fail
	b, _ := json.Marshal(out)
	r.body = *bytes.NewBuffer(b)
}
