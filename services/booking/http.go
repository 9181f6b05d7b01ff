package booking

import (
	"net/http"

	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
)

// Routes is the service's table of routes, for who asks what is there and not for
// an answer.
func Routes() []httpserver.Route { return (*service)(nil).routes() }

// routes is the service's table of routes, each with its roles.
func (s *service) routes() []httpserver.Route {
	anybody := []auth.Role{auth.Viewer, auth.Rider, auth.Driver, auth.Importer, auth.Service, auth.Admin}
	people := []auth.Role{auth.Rider, auth.Driver, auth.Importer, auth.Service, auth.Admin}
	books := []auth.Role{auth.Rider, auth.Importer}
	drives := []auth.Role{auth.Driver, auth.Importer}
	typing := httpserver.Limit{PerSecond: 20, Burst: 60} // a search with every key
	// Who books and cancels without end costs a message each time; an address may be
	// that of a company, or of the simulator.
	booked, bookedThere := httpserver.Limit{PerSecond: 2, Burst: 60}, httpserver.Limit{PerSecond: 20, Burst: 200}
	get, post := http.MethodGet, http.MethodPost
	const own, its, itself = "a rider's and a driver's own", "the driver who has the ride", "a driver itself; an importer names one"

	return []httpserver.Route{
		{Method: post, Path: "/v1/rides", Roles: books, Whose: "a rider itself; an importer names one", Handle: s.create, Limit: booked, PerAddress: bookedThere},
		{Method: get, Path: "/v1/rides", Roles: people, Whose: own, Handle: s.list},
		{Method: get, Path: "/v1/rides/:id", Roles: people, Whose: own, Handle: s.get},
		{Method: post, Path: "/v1/rides/:id/cancel", Roles: []auth.Role{auth.Rider, auth.Importer, auth.Admin}, Whose: "a rider's own", Handle: s.cancel},
		{Method: post, Path: "/v1/rides/:id/arrive", Roles: drives, Whose: its, Handle: s.arrive},
		{Method: post, Path: "/v1/rides/:id/pick-up", Roles: drives, Whose: its, Handle: s.pickUp},
		{Method: post, Path: "/v1/rides/:id/drop-off", Roles: drives, Whose: its, Handle: s.dropOff},
		{Method: post, Path: "/v1/rides/:id/end", Roles: []auth.Role{auth.Admin}, Handle: s.end},
		{Method: get, Path: "/v1/rides/:id/events", Roles: people, Whose: own, Stream: true, Handle: s.events},
		{Method: get, Path: "/v1/drivers/me", Roles: drives, Whose: itself, Handle: s.driver},
		{Method: http.MethodPut, Path: "/v1/drivers/me/duty", Roles: drives, Whose: itself, Handle: s.duty},
		{Method: get, Path: "/v1/drivers/me/earnings", Roles: drives, Whose: itself, Handle: s.earnings},
		{Method: get, Path: "/v1/drivers/me/events", Roles: drives, Whose: itself, Stream: true, Handle: s.driverEvents},
		{Method: get, Path: "/v1/drivers/events", Roles: []auth.Role{auth.Importer}, Stream: true, Handle: s.fleetEvents},
		{Method: post, Path: "/v1/offers/:id/accept", Roles: drives, Whose: "the driver who has the offer", Handle: s.accept},
		{Method: post, Path: "/v1/offers/:id/refuse", Roles: drives, Whose: "the driver who has the offer", Handle: s.refuse},
		{Method: get, Path: "/v1/demand", Roles: anybody, Handle: s.demand},
		{Method: get, Path: "/v1/quote", Roles: anybody, Limit: typing, Handle: s.quote},
		{Method: get, Path: "/v1/route", Roles: anybody, Limit: typing, Handle: s.route},
		{Method: get, Path: "/v1/places", Roles: anybody, Limit: typing, Handle: s.places},
		{Method: get, Path: "/v1/places/near", Roles: anybody, Limit: typing, Handle: s.near},
	}
}
