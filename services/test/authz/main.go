// Command authz writes docs/authz.md (run it by `make authz`): who may call what,
// as the tables of routes say that the servers serve. A test fails when the file is
// not current, and when a server answers otherwise than it says.
package main

import (
	"cmp"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"tandem/services/booking"
	"tandem/services/compare"
	"tandem/services/console"
	"tandem/services/domain/points"
	"tandem/services/gateway"
	"tandem/services/heatmap"
	"tandem/services/history"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
	"tandem/services/location"
	"tandem/services/mapfeed"
	"tandem/services/nearby"
	"tandem/services/notification"
)

const (
	file = "docs/authz.md"

	head = `# Who may call what

Written by ` + "`make authz`" + ` from the tables of routes that the servers serve; a test holds each server to it.

A request carries a token (` + "`Authorization: Bearer`" + `) that says who asks, and in which role: *viewer* (a browser before any
login), *rider*, *driver*, *importer* (a program that acts for many), *service* (one service asks another) or *admin*.
A browser has a cookie for each role instead, which the gateway replaces by a token. Without a token the answer is 401;
in a role that has no mark it is 403; for a ride that is not the asker's it is 404.

- **open**: no token is needed.
- **whose**: what riders and drivers are held to. Importers, services and admins, where they have a mark, act for all.
- **outside**: the gateway passes it on. The rest is reached only at the service's own address.

`
)

const everyServer = "every server but the gateway"

// server is one service with what it serves beside what every server does: dispatch
// and the simulator nothing, since they are asked by operators alone.
type server struct {
	name   string
	routes []httpserver.Route
}

func servers() []server {
	return []server{
		{"gateway", gateway.Routes()}, {"booking", booking.Routes()}, {"notification", notification.Routes()}, {"location", location.Routes()},
		{"mapfeed", mapfeed.Routes()}, {"nearby", nearby.Routes()}, {"history", history.Routes()}, {"heatmap", heatmap.Routes()},
		{"speeding", points.Routes()},
		{"console", console.Routes()}, {"compare", compare.Routes()}, {"dispatch", nil}, {"simulator", nil},
	}
}

// builtin is what every server answers beside its routes. The gateway's metrics are
// not for the whole world.
func builtin(service string) []httpserver.Route {
	return httpserver.Builtin(httpserver.Options{
		Env: lifecycle.Env{Metrics: prometheus.NewRegistry()}, PrivateMetrics: service == "gateway",
	})
}

func roles() []auth.Role {
	return []auth.Role{auth.Viewer, auth.Rider, auth.Driver, auth.Importer, auth.Service, auth.Admin}
}

func main() {
	if err := os.WriteFile(file, []byte(render()), 0o600); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "authz:", err)
		os.Exit(1)
	}
}

// render returns the file's text.
func render() string {
	var b strings.Builder
	b.WriteString(head)

	fmt.Fprintf(&b, "## %s\n\n", everyServer)
	table(&b, "", builtin(""))
	for _, s := range servers() {
		fmt.Fprintf(&b, "## %s\n\n", s.name)
		switch {
		case s.name == "gateway":
			doors(&b)
			table(&b, s.name, slices.Concat(s.routes, builtin(s.name)))
		case len(s.routes) == 0:
			b.WriteString("It has no routes of its own.\n\n")
		default:
			table(&b, s.name, s.routes)
		}
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// doors writes the gateway's ways in that are no routes.
func doors(b *strings.Builder) {
	b.WriteString("| way in | needs | asks the services as |\n|---|---|---|\n")
	for _, d := range gateway.Doors() {
		as := string(d.Role)
		if d.Role == "" {
			as = "what the token says"
		}
		if d.Needs == "" && d.Role == "" {
			as = "(files)"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", d.Pattern, cmp.Or(d.Needs, "open"), as)
	}
	b.WriteString("\nIts own routes:\n\n")
}

func table(b *strings.Builder, service string, routes []httpserver.Route) {
	b.WriteString("| route | open |")
	for _, r := range roles() {
		b.WriteString(" " + string(r) + " |")
	}
	b.WriteString(" whose | outside |\n|---|" + strings.Repeat(":-:|", len(roles())+1) + "---|:-:|\n")

	for _, r := range routes {
		fmt.Fprintf(b, "| `%s %s` | %s |", r.Method, r.Path, mark(r.Public))
		for _, role := range roles() {
			b.WriteString(" " + mark(!r.Public && slices.Contains(r.Roles, role)) + " |")
		}
		fmt.Fprintf(b, " %s | %s |\n", r.Whose, mark(outside(service, r)))
	}
	b.WriteString("\n")
}

func mark(yes bool) string {
	if yes {
		return "✓"
	}
	return ""
}

var parameter = regexp.MustCompile(`:\w+`)

// concrete is a path that the route's pattern matches.
func concrete(pattern string) string { return parameter.ReplaceAllString(pattern, "x") }

// outside reports whether the gateway's clients reach the route.
func outside(service string, r httpserver.Route) bool {
	if service == "gateway" {
		return true
	}
	req, err := http.NewRequest(r.Method, "http://gateway"+concrete(r.Path), nil) //nolint:noctx // it is never sent
	return err == nil && service != "" && gateway.Upstream(req) == service
}
