package gateway

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path"
	"sync/atomic"
	"time"

	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
	"tandem/services/internal/telemetry"
)

// maxProxied bounds a body that is passed on; each service has a limit of its
// own below it.
const maxProxied = 1 << 20

// api returns the handler of /v1/…, which passes each path on to its service.
func (g *gateway) api() (http.Handler, error) {
	mux, err := upstreamMux(g.cfg, func(u upstream) (http.Handler, error) { return g.proxy(u.name, u.url) })
	if err != nil {
		return nil, err
	}

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The mux cleans paths, but not that of a CONNECT, and it leaves a slash at the
		// end: a service would answer with a redirect, which leads a browser out of
		// its role's path. Such a path is refused, not cleaned.
		if path.Clean(r.URL.Path) != r.URL.Path {
			nothing(w, r)
			return
		}

		if r.Body != http.NoBody {
			r.Body = &arriving{ReadCloser: http.MaxBytesReader(w, r.Body, maxProxied)}
		}
		mux.ServeHTTP(w, r)
	}), nil
}

// arriving is a client's body that remembers why it could not be read: the proxy
// would say that the service did not answer.
type arriving struct {
	io.ReadCloser
	failed atomic.Pointer[error]
}

// bodyError wraps an error of reading a client's body.
type bodyError struct{ error }

func (e *bodyError) Unwrap() error { return e.error }

func (a *arriving) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = &bodyError{err}
		a.failed.Store(&err)
	}
	return n, err
}

func nothing(w http.ResponseWriter, r *http.Request) {
	httpserver.WriteProblem(w, problem.New(problem.NotFound, "There is nothing at %s.", r.URL.Path))
}

// answerWithin is how long a service has for the head of its answer. httpserver
// answers within 30 s, if only with "It took too long": what is silent for longer
// hangs.
const answerWithin = 35 * time.Second

// newTransport returns the connections to the services, which all proxies share.
func newTransport(within time.Duration) *http.Transport {
	return &http.Transport{
		// As many as a thousand drivers have under way at once: a connection that
		// cannot be kept is opened again for the next request.
		MaxIdleConnsPerHost: 1024, IdleConnTimeout: 60 * time.Second, ResponseHeaderTimeout: within,
		// The backlog of a service that hangs fills up, and then nothing answers.
		DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
	}
}

// proxy returns the one way to a service.
func (g *gateway) proxy(service, target string) (http.Handler, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	if u.Scheme == "" || u.Host == "" {
		return nil, errors.New("it is missing; it looks like http://127.0.0.1:8081")
	}

	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(u)
			r.SetXForwarded()
			r.Out.Header.Set(httpserver.ClientHeader, g.cfg.Auth.Vouch(httpserver.Client(r.In)))
			if g.env.Traces != nil {
				telemetry.PassOn(r.In.Context(), r.Out.Header)
			}
			r.Out.Header.Del("Cookie") // a service is told who asks by the token alone
			r.Out.Header.Del("Origin") // it has been checked; the page is not the service's own
		},
		FlushInterval: -1, // streams are passed on at once
		Transport:     g.transport,
		BufferPool:    g.buffers,
		ErrorHandler:  func(w http.ResponseWriter, r *http.Request, err error) { g.notAnswered(w, r, service, err) },
	}, nil
}

// notAnswered answers a request to which the service has no answer, and says whose
// fault that is: the client's, a restart's, or a service's that hangs.
func (g *gateway) notAnswered(w http.ResponseWriter, r *http.Request, service string, err error) {
	if in, ok := r.Body.(*arriving); ok && in.failed.Load() != nil {
		err = *in.failed.Load() // the client's body ended too early: no fault of the service's
	}

	var tooLarge *http.MaxBytesError
	var cut *bodyError
	var slow net.Error
	switch {
	case errors.As(err, &tooLarge):
		httpserver.WriteProblem(w, err)
		return
	case errors.As(err, &cut):
		httpserver.WriteProblem(w, problem.Wrap(err, problem.Invalid, "The body did not arrive whole, as its headers had announced it."))
		return
	case errors.Is(err, context.Canceled):
		httpserver.WriteProblem(w, problem.New(problem.Unavailable, "The request was ended. Try again."))
		return
	}

	// Not an error of the gateway's: clients that know Retry-After come back by
	// themselves.
	g.env.Log.Warn("a service behind the gateway did not answer", "path", r.URL.Path, "service", service, "err", err)
	answer := problem.New(problem.Unavailable, "This part of Tandem is restarting. Try again in a second.")
	if errors.As(err, &slow) && slow.Timeout() {
		answer = problem.New(problem.Unavailable, "The service %s does not answer: it hangs, or has too much to do. Try again in some seconds.", service)
		answer.RetryAfter = 5 * time.Second
	}
	httpserver.WriteProblem(w, answer)
}
