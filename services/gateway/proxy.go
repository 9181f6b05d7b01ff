package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
)

// maxProxied bounds a body that is passed on; each service has a limit of its
// own below it.
const maxProxied = 1 << 20

// api returns the handler of /v1/…: each path goes to the service that answers
// it. Where two patterns match, http.ServeMux takes the more specific one.
func (g *gateway) api() (http.Handler, error) {
	mux := http.NewServeMux()
	for _, service := range []struct{ name, url, paths string }{
		{"booking", g.cfg.BookingURL, "rides quote route places offers drivers/me drivers/events"},
		{"location", g.cfg.LocationURL, "points"},
		{"mapfeed", g.cfg.MapfeedURL, "map"},
		{"history", g.cfg.HistoryURL, "drivers"},
		{"heatmap", g.cfg.HeatmapURL, "heatmap"},
		{"notification", g.cfg.NotificationURL, "contact inbox deliveries"},
		{"console", g.cfg.ConsoleURL, "rides/{id}/stream overview ops"},
	} {
		proxy, err := g.proxy(service.name, service.url)
		if err != nil {
			return nil, fmt.Errorf("gateway: the address of %s: %w", service.name, err)
		}
		for _, p := range strings.Fields(service.paths) {
			mux.Handle("/v1/"+p, proxy)
			mux.Handle("/v1/"+p+"/", proxy) // and what lies beneath
		}
	}
	mux.HandleFunc("/", nothing)

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A path such as /v1/places/%2e%2e/x may mean another one to the service
		// than to the mux: it is refused, not cleaned.
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
			r.Out.Header.Del("Cookie") // a service is told who asks by the token alone
			r.Out.Header.Del("Origin") // it has been checked; the page is not the service's own
		},
		FlushInterval: -1, // streams are passed on at once
		// httpserver answers within 30 s, if only with "It took too long": a service that
		// is silent for 35 s hangs.
		Transport: &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 60 * time.Second, ResponseHeaderTimeout: 35 * time.Second},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			var tooLarge *http.MaxBytesError
			if in, ok := r.Body.(*arriving); ok && in.failed.Load() != nil {
				err = *in.failed.Load() // the client's body ended too early: no fault of the service's
			}
			var cut *bodyError
			switch {
			case errors.As(err, &tooLarge):
				httpserver.WriteProblem(w, err)
			case errors.As(err, &cut):
				httpserver.WriteProblem(w, problem.Wrap(err, problem.Invalid, "The body did not arrive whole, as its headers had announced it."))
			case errors.Is(err, context.Canceled):
				httpserver.WriteProblem(w, problem.New(problem.Unavailable, "The request was ended. Try again."))
			default:
				// Not an error of the gateway's: the service is being restarted, and
				// clients that know Retry-After come back by themselves.
				g.env.Log.Warn("a service behind the gateway did not answer", "path", r.URL.Path, "service", service, "err", err)
				w.Header().Set("Retry-After", "1")
				httpserver.WriteProblem(w, problem.New(problem.Unavailable, "This part of Tandem is restarting. Try again in a second."))
			}
		},
	}, nil
}
