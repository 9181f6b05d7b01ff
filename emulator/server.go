package emulator

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"tandem/emulator/wire"
)

const (
	maxConnections = 10_000
	// drainWithin is how long running calls may take to end after ctx has ended.
	drainWithin = 8 * time.Second
)

// serve answers until ctx ends; long polls and subscriptions end with it. The
// timeouts are for ordinary calls: an event stream sets its own for each event.
func (e *emulator) serve(ctx context.Context, listener net.Listener) error {
	srv := &http.Server{
		// Not shorter: a connection that a client has opened in reserve ends then, and a
		// request that is sent in that moment is lost.
		ReadHeaderTimeout: 20 * time.Second,
		Handler:           e.guard(e.handler()), ReadTimeout: e.callWithin, WriteTimeout: e.callWithin,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(e.log.Handler(), slog.LevelDebug),
		// A long poll ends with ctx; otherwise Shutdown would wait for it.
		BaseContext: func(net.Listener) context.Context { return ctx },
		Protocols:   protocols(),
	}

	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(limitListener(listener, e.most)) }()

	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}

	// A context of its own: ctx has ended already.
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainWithin)
	defer cancel()
	return srv.Shutdown(drain)
}

// protocols are HTTP/1.1 and, without TLS, HTTP/2 from the first byte on, which
// JavaScript's and Java's clients of Kinesis speak by default.
func protocols() *http.Protocols {
	p := &http.Protocols{}
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(true)
	return p
}

// guard refuses what a web page asks: nobody's page is a client of the emulator,
// and a form or a body of text/plain is sent without asking first. An SDK sends
// neither header; a browser says "none" where a person typed the address.
func (e *emulator) guard(next http.Handler) http.Handler {
	refuse := func(w http.ResponseWriter, status int, code, format string, args ...any) {
		// In a service's form, so that an SDK shows it and not only a number.
		wire.Service{ContentType: "application/x-amz-json-1.1"}.Fail(w, &wire.Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)})
	}

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wire.RequestID(w)

		site := r.Header.Get("Sec-Fetch-Site")
		switch {
		case e.known != nil && !e.known(r):
			refuse(w, http.StatusMisdirectedRequest, "MisdirectedRequest", "%q is not a name of this emulator. If it should be, start it with --allow-host.", r.Host)
		case r.Header.Get("Origin") != "" || site != "" && site != "none" && site != "same-origin":
			refuse(w, http.StatusForbidden, "AccessDeniedException", "The emulator answers programs, and no web page.")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// limited is a listener with a limit of open connections: a client beyond it
// waits to be accepted.
type limited struct {
	net.Listener
	slots chan struct{}
}

func limitListener(l net.Listener, n int) net.Listener {
	return &limited{l, make(chan struct{}, n)}
}

func (l *limited) Accept() (net.Conn, error) {
	l.slots <- struct{}{} // waits for a connection to close

	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &limitedConn{Conn: c, release: func() { <-l.slots }}, nil
}

type limitedConn struct {
	net.Conn
	once    sync.Once
	release func()
}

// SetLinger is the TCP connection's, which a fault that resets it needs.
func (c *limitedConn) SetLinger(seconds int) error {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		return tcp.SetLinger(seconds)
	}
	return nil
}

func (c *limitedConn) Close() error {
	err := c.Conn.Close()

	// Close may be called twice, but frees one slot.
	c.once.Do(c.release)
	return err
}
