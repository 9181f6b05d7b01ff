package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
)

const root = "../../.."

func document(t *testing.T) string {
	t.Helper()
	kept, err := os.ReadFile(filepath.Join(root, file))
	require.NoError(t, err)
	return string(kept)
}

func TestTheDocumentIsCurrent(t *testing.T) {
	t.Parallel()
	require.Equal(t, render(), document(t), "run make authz, and read what changes")
}

// What serves HTTP stands in the document, a service that is added later too.
func TestEveryServiceIsListed(t *testing.T) {
	t.Parallel()
	runs, err := filepath.Glob(filepath.Join(root, "services", "*", "run.go"))
	require.NoError(t, err)
	require.NotEmpty(t, runs)

	var found, listed []string
	for _, run := range runs {
		source, err := os.ReadFile(run)
		require.NoError(t, err)
		if strings.Contains(string(source), "httpserver.Options{") {
			found = append(found, filepath.Base(filepath.Dir(run)))
		}
	}
	for _, s := range servers() {
		listed = append(listed, s.name)
	}
	require.ElementsMatch(t, found, listed)
}

// TestServersAnswerAsTheDocumentSays asks each server for each of its routes as
// nobody and in every role. Only the handlers are others: whether a request gets to
// them is what is asked.
func TestServersAnswerAsTheDocumentSays(t *testing.T) {
	t.Parallel()
	said := read(t, document(t))
	signer, err := auth.NewSigner([]byte(strings.Repeat("k", 32)))
	require.NoError(t, err)

	for _, s := range servers() {
		h := serve(t, s, signer)
		for _, r := range slices.Concat(s.routes, builtin(s.name)) {
			row, ok := said[s.name+" "+r.Method+" "+r.Path]
			if !ok {
				row, ok = said[everyServer+" "+r.Method+" "+r.Path]
			}
			require.True(t, ok, "%s: %s %s does not stand in %s", s.name, r.Method, r.Path, file)

			want := map[bool]int{true: http.StatusOK, false: http.StatusUnauthorized}[row["open"]]
			require.Equal(t, want, ask(t, h, r, ""), "%s: %s %s without a token", s.name, r.Method, r.Path)
			for _, role := range roles() {
				token, err := signer.Sign(auth.Identity{Subject: "somebody", Role: role}, time.Minute)
				require.NoError(t, err)
				want := map[bool]int{true: http.StatusOK, false: http.StatusForbidden}[row["open"] || row[string(role)]]
				require.Equal(t, want, ask(t, h, r, token), "%s: %s %s as %s", s.name, r.Method, r.Path, role)
			}
		}
	}
}

// A rider or a driver who names a thing in the path is held to its own: the row says
// to which.
func TestWhoseIsSaid(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		for _, r := range s.routes {
			if strings.Contains(r.Path, "/:") && !r.Public && (slices.Contains(r.Roles, auth.Rider) || slices.Contains(r.Roles, auth.Driver)) {
				require.NotEmpty(t, r.Whose, "%s: %s %s", s.name, r.Method, r.Path)
			}
		}
	}
}

// read returns the document's routes, by "service METHOD /path", each with its marks
// by column.
func read(t *testing.T, text string) map[string]map[string]bool {
	t.Helper()
	out := map[string]map[string]bool{}
	var service string
	var columns []string
	for line := range strings.Lines(text) {
		if name, ok := strings.CutPrefix(line, "## "); ok {
			service = strings.TrimSpace(name)
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch route := strings.Trim(cells[0], "`"); {
		case route == "route":
			columns = cells
		case strings.HasPrefix(route, "way in"):
			columns = nil
		case columns != nil && route != cells[0]:
			require.Len(t, cells, len(columns), line)
			marks := map[string]bool{}
			for i, c := range columns {
				marks[c] = cells[i] == "✓"
			}
			out[service+" "+route] = marks
		}
	}
	return out
}

// serve returns the server as it is, but for its handlers, which answer 200.
func serve(t *testing.T, s server, signer *auth.Signer) http.Handler {
	t.Helper()
	routes := slices.Clone(s.routes)
	for i := range routes {
		routes[i].Limit, routes[i].PerAddress = httpserver.Limit{}, httpserver.Limit{}
		routes[i].Handle = func(c *gin.Context) error { c.Status(http.StatusOK); return nil }
	}
	h, err := httpserver.NewHandler(t.Context(), httpserver.Options{
		Name: s.name, Auth: signer, Routes: routes, PrivateMetrics: s.name == "gateway",
		Env: lifecycle.Env{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()},
	})
	require.NoError(t, err, s.name)
	return h
}

func ask(t *testing.T, h http.Handler, r httpserver.Route, token string) int {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), r.Method, concrete(r.Path), nil)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w.Code
}
