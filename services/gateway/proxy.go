package gateway

import (
	"context"
	"errors"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path"
	"strings"
	"time"

	"tandem/services/internal/auth"
	"tandem/services/internal/problem"
)

// maxProxied bounds a body that is passed on; each service has a limit of its
// own below it.
const maxProxied = 1 << 20

// proxyRoute sends paths beneath /v1/pattern to one service. A * stands for
// one segment.
type proxyRoute struct {
	pattern string
	proxy   *httputil.ReverseProxy
}

func (r proxyRoute) matches(rest string) bool {
	want, have := strings.Split(r.pattern, "/"), strings.Split(rest, "/")
	if len(have) < len(want) {
		return false
	}
	for i, w := range want {
		if w != "*" && w != have[i] {
			return false
		}
	}
	return true
}

func (g *gateway) newProxy(target string) (*httputil.ReverseProxy, error) {
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
			r.Out.Header.Del("Cookie")
		},
		FlushInterval: -1, // streams are passed on at once
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 60 * time.Second, ResponseHeaderTimeout: 35 * time.Second},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			var tooLarge *http.MaxBytesError
			switch {
			case errors.As(err, &tooLarge):
				writeProblem(w, problem.New(problem.TooLarge, "The body may have at most %d bytes.", tooLarge.Limit))
			case errors.Is(err, context.Canceled):
				writeProblem(w, problem.New(problem.Unavailable, "The request was ended. Try again."))
			default:
				g.env.Log.Warn("a service behind the gateway did not answer", "path", r.URL.Path, "service", u.Host, "err", err)
				w.Header().Set("Retry-After", "1")
				writeProblem(w, problem.New(problem.Unavailable, "This part of Tandem is restarting. Try again in a second."))
			}
		},
		ErrorLog: nil,
	}, nil
}

// forward passes r, whose path is /v1/…, to the service that has it.
func (g *gateway) forward(w http.ResponseWriter, r *http.Request) {
	clean := path.Clean(r.URL.Path)
	rest, ok := strings.CutPrefix(clean, "/v1/")
	if !ok || clean != r.URL.Path {
		writeProblem(w, problem.New(problem.NotFound, "There is nothing at %s.", r.URL.Path))
		return
	}
	for _, p := range g.proxies {
		if p.matches(rest) {
			r.Body = http.MaxBytesReader(w, r.Body, maxProxied)
			p.proxy.ServeHTTP(w, r)
			return
		}
	}
	writeProblem(w, problem.New(problem.NotFound, "There is nothing at %s.", r.URL.Path))
}

// serveBrowser is /{role}/v1/…: the role's cookie becomes a token.
func (g *gateway) serveBrowser(w http.ResponseWriter, r *http.Request, role auth.Role) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead && !sameOrigin(r) {
		writeProblem(w, problem.New(problem.Forbidden, "This may only be asked by Tandem's own page."))
		return
	}
	id, err := g.identify(r, role)
	if err != nil {
		writeProblem(w, problem.From(err))
		return
	}
	prefix := "/" + string(role)
	if r.Method == http.MethodPost && r.URL.Path == prefix+"/v1/socket-ticket" {
		g.giveTicket(w, r, id)
		return
	}
	out := r.Clone(r.Context())
	out.URL.Path, out.URL.RawPath = strings.TrimPrefix(r.URL.Path, prefix), ""
	g.sendAs(w, out, id)
}

// sendAs passes r on with a token for id.
func (g *gateway) sendAs(w http.ResponseWriter, r *http.Request, id auth.Identity) {
	token, err := g.cfg.Auth.Sign(id, auth.MaxLife)
	if err != nil {
		writeProblem(w, problem.From(err))
		return
	}
	r.Header.Set("Authorization", "Bearer "+token)
	g.forward(w, r)
}

// sameOrigin says whether the page that asks is served by this host. Browsers
// send Origin with every request that changes something.
func sameOrigin(r *http.Request) bool {
	u, err := url.Parse(r.Header.Get("Origin"))
	return err == nil && u.Host != "" && u.Host == r.Host
}

func writeProblem(w http.ResponseWriter, p *problem.Error) {
	body, err := p.MarshalJSON()
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", problem.ContentType)
	w.WriteHeader(p.Code.Status())
	_, _ = w.Write(body) // the client is gone if this fails
}
