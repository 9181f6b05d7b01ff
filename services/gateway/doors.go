package gateway

import (
	"embed"
	"fmt"
	"net/http"
	"strings"

	"tandem/services/internal/auth"
)

// Door is a way in beside the table of routes: what is served from files, or passed
// on to the services.
type Door struct {
	Pattern string // http.ServeMux's
	// Needs is what has to be shown; empty: nothing.
	Needs  string
	Role   auth.Role // that it lets in; empty: whoever shows what it needs
	handle http.Handler
}

// Doors returns the doors, for who asks what is there and not for an answer.
func Doors() []Door { return (&gateway{cfg: Config{App: embed.FS{}, City: embed.FS{}}}).doors(nil) }

// doors are the base map, /v1 for programs, a role's own paths, and the app.
func (g *gateway) doors(api http.Handler) []Door {
	version := cityVersion(g.cfg.City)
	out := []Door{
		{Pattern: "/city/", handle: city(g.cfg.City, version)},
		{Pattern: "/v1/", Needs: "a token, which the service checks", handle: g.program(api)},
		{Pattern: "/", handle: app(g.cfg.App, version)},
	}
	for _, role := range []auth.Role{auth.Viewer, auth.Rider, auth.Driver, auth.Admin} {
		b, cookie := browser{gateway: g, role: role, api: api}, "the cookie "+cookieName(role)
		if role == auth.Viewer {
			cookie = ""
		}
		out = append(out,
			Door{Pattern: "POST " + b.prefix() + "/v1/socket-ticket", Needs: cookie, Role: role, handle: http.HandlerFunc(b.ticket)},
			Door{Pattern: b.prefix() + "/v1/", Needs: cookie, Role: role, handle: http.HandlerFunc(b.request)},
			Door{Pattern: "GET " + b.prefix() + "/socket", Needs: "a socket ticket, used once", Role: role, handle: http.HandlerFunc(b.socket)},
		)
	}
	return out
}

// upstream is a service behind the gateway, and which paths below /v1/ it answers.
type upstream struct{ name, url, paths string }

func upstreams(cfg Config) []upstream {
	return []upstream{
		{"booking", cfg.BookingURL, "rides demand quote route places offers drivers/me drivers/events"},
		{"location", cfg.LocationURL, "points"},
		{"mapfeed", cfg.MapfeedURL, "map"},
		{"history", cfg.HistoryURL, "drivers rides/{id}/track playback"},
		{"heatmap", cfg.HeatmapURL, "heatmap"},
		{"notification", cfg.NotificationURL, "contact inbox deliveries lab"},
		{"console", cfg.ConsoleURL, "rides/{id}/stream rides/{id}/worker rides/{id}/queue overview summary dead-letters readers operations"},
		{"compare", cfg.CompareURL, "compare"},
	}
}

// upstreamMux sends each path below /v1/ to the service that answers it. Where two
// patterns match, http.ServeMux takes the more specific one.
func upstreamMux(cfg Config, to func(upstream) (http.Handler, error)) (*http.ServeMux, error) {
	mux := http.NewServeMux()
	for _, u := range upstreams(cfg) {
		h, err := to(u)
		if err != nil {
			return nil, fmt.Errorf("gateway: the address of %s: %w", u.name, err)
		}
		for _, p := range strings.Fields(u.paths) {
			mux.Handle("/v1/"+p, h)
			mux.Handle("/v1/"+p+"/", h) // and what lies beneath
		}
	}
	mux.HandleFunc("/", nothing)
	return mux, nil
}

// named is a handler that is not asked: its name is the answer.
type named struct {
	http.Handler
	name string
}

// Upstream returns the service that the gateway passes a request on to; "" where
// there is none.
func Upstream(r *http.Request) string {
	mux, err := upstreamMux(Config{}, func(u upstream) (http.Handler, error) { return named{name: u.name}, nil })
	if err != nil {
		return "" // named returns no error
	}
	h, _ := mux.Handler(r)
	n, _ := h.(named)
	return n.name
}

// sendsPoints reports whether a request brings a driver's points, of which there are
// many thousand for each ride.
func sendsPoints(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/v1/points") }
