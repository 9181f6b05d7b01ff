package mapfeed

import (
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/websocket"

	"tandem/services/domain/points"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
)

const (
	maxClients = 5_000
	readBytes  = 1 << 10 // a client says little
	writeBytes = 16 << 10
)

// writeBuffers are shared: most sockets write nothing at a given moment. A frame that fits
// into one, so of up to 400 vehicles, costs one system call; a longer one costs two, since
// httpserver's connections are not those that net can write several buffers to at once.
var writeBuffers sync.Pool

// Routes is the service's table of routes.
func Routes() []httpserver.Route { return append((*feed)(nil).routes(), points.LiveRoutes()...) }

func (f *feed) routes() []httpserver.Route {
	anybody := []auth.Role{auth.Viewer, auth.Rider, auth.Driver, auth.Importer, auth.Service, auth.Admin}
	return []httpserver.Route{
		{Method: http.MethodGet, Path: "/v1/map", Roles: anybody, Whose: "cars without names; a ride's events are for whom booking shows them", Stream: true, Handle: f.socketHTTP},
	}
}

// socketHTTP is GET /v1/map: it serves one client until its socket ends.
func (f *feed) socketHTTP(c *gin.Context) error {
	// Each client costs memory and a share of every round of frames.
	if f.count() >= maxClients {
		p := problem.New(problem.Unavailable, "The map has %d viewers, which is all it takes. Try again in a minute.", maxClients)
		p.RetryAfter = time.Minute
		return p
	}

	// Any origin: httpserver has refused another's page, and the gateway sends none.
	up := websocket.Upgrader{
		ReadBufferSize: readBytes, WriteBufferSize: writeBytes, WriteBufferPool: &writeBuffers, HandshakeTimeout: 5 * time.Second,
		CheckOrigin: func(*http.Request) bool { return true },
		Error: func(w http.ResponseWriter, _ *http.Request, _ int, reason error) {
			httpserver.WriteProblem(w, problem.Wrap(reason, problem.Invalid, "The map is a WebSocket: open it as one, with Upgrade: websocket."))
		},
	}
	conn, err := up.Upgrade(c.Writer, c.Request, nil)
	if err != nil {
		return nil //nolint:nilerr // the upgrader has answered
	}

	cl := &client{
		id: httpserver.Identity(c), conn: conn, feed: f, wake: make(chan struct{}, 1), texts: make(chan []byte, TextQueue),
		rides: map[string]string{},
	}

	cl.serve(c.Request.Context())
	return nil
}
