package gateway

import (
	"net/http"

	"tandem/services/internal/httpserver"
)

func (g *gateway) routes() []httpserver.Route {
	guests := httpserver.Limit{PerSecond: 2, Burst: 20}
	return []httpserver.Route{
		{Method: http.MethodPost, Path: "/session/:role", Public: true, Handle: g.signIn, Limit: guests},
		{Method: http.MethodGet, Path: "/session/:role", Public: true, Handle: g.whoAmI},
		{Method: http.MethodDelete, Path: "/session/:role", Public: true, Handle: g.signOut},
		{Method: http.MethodPost, Path: "/v1/tokens", Public: true, Handle: g.token, Limit: httpserver.Limit{PerSecond: 200, Burst: 1000}},
	}
}
