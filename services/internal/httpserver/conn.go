package httpserver

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// writeWithin is how long one write may wait for a client that reads slowly. A
// stream has it for each event, and so has no end of its own.
const writeWithin = 30 * time.Second

// restWithin is how long a body may still take that is answered before it has been
// read, as a refused one is. net/http reads it before it sends the answer, so that
// the connection can be used again.
const restWithin = time.Second

// bounded puts the time limits on a connection, and the headers on every answer
// that has none of its own. A client has within to send a body: each stalled one
// would hold a connection and two goroutines for ever.
func bounded(next http.Handler, within time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := &answer{ResponseWriter: w, rc: http.NewResponseController(w)}

		// Without a body there is nothing to wait for, and a deadline would end a
		// stream, whose connection is read for its end.
		if r.Body != nil && r.Body != http.NoBody {
			_ = out.rc.SetReadDeadline(time.Now().Add(within)) // not every writer has deadlines
			out.body = &body{ReadCloser: r.Body, rc: out.rc}
			r.Body = out.body
		}
		next.ServeHTTP(out, r)
	})
}

// body takes the deadline off when it has been read.
type body struct {
	io.ReadCloser
	rc    *http.ResponseController
	ended atomic.Bool
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		b.ended.Store(true)
		_ = b.rc.SetReadDeadline(time.Time{})
	}
	return n, err
}

// answer is a ResponseWriter with a deadline for each write.
type answer struct {
	http.ResponseWriter
	rc    *http.ResponseController
	body  *body // nil: there is none
	begun bool
}

func (a *answer) WriteHeader(status int) {
	if status >= http.StatusOK { // those below come before the answer
		a.begin()
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	a.begin()
	_ = a.rc.SetWriteDeadline(time.Now().Add(writeWithin))
	return a.ResponseWriter.Write(p)
}

// begin does what must be done once, before the answer's first byte.
func (a *answer) begin() {
	if a.begun {
		return
	}
	a.begun = true
	a.defaults()

	if a.body != nil && !a.body.ended.Load() {
		_ = a.rc.SetReadDeadline(time.Now().Add(restWithin))
	}
}

// defaults are set last, so that what a service behind a proxy says is not said twice.
func (a *answer) defaults() {
	h := a.Header()
	for name, value := range map[string]string{
		"X-Content-Type-Options":       "nosniff",     // what it is called is what it is
		"Cache-Control":                "no-store",    // it is one person's
		"Cross-Origin-Resource-Policy": "same-origin", // no other page may embed it
	} {
		if h.Get(name) == "" {
			h.Set(name, value)
		}
	}
}

// Unwrap, Flush and Hijack are for the handlers of streams and sockets.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) Flush() {
	_ = a.rc.SetWriteDeadline(time.Now().Add(writeWithin))
	_ = a.rc.Flush() // every writer of net/http's can
}

func (a *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) { return a.rc.Hijack() }
