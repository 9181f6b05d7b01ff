package mapfeed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"tandem/services/domain/geo"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
)

// What is done about slow clients (see the package's doc).
const (
	// WriteWithin is how long a client may take for one frame.
	WriteWithin = 10 * time.Second
	// TextQueue is how many text frames may wait for a client.
	TextQueue = 64
)

const (
	pingEvery  = 20 * time.Second
	deadAfter  = 3 * pingEvery
	maxMessage = 4 << 10 // bytes of a client's message
	maxRides   = 8       // that one socket may listen to
)

var errSlow = errors.New("mapfeed: the client is too slow: its text frames do not fit into its queue")

// client is one socket.
type client struct {
	id   auth.Identity
	conn *websocket.Conn
	feed *feed

	wake  chan struct{} // a frame waits
	texts chan []byte

	mu      sync.Mutex
	view    geo.Box
	viewed  bool            // a view was asked for
	fresh   bool            // the next frame must tell everything in the view
	waits   *waiting        // what the next frame will tell; nil: nothing yet
	offered time.Time       // when a frame was last made ready
	knows   map[string]bool // drivers whose number this client may know
	watches map[string]bool // rides it listens to
	driver  bool            // it listens to its own state
}

// message is what a client sends.
type message struct {
	Type   string   `json:"type"`
	West   *float64 `json:"west"`
	South  *float64 `json:"south"`
	East   *float64 `json:"east"`
	North  *float64 `json:"north"`
	RideID string   `json:"ride_id"`
	Stop   bool     `json:"stop"` // of shown_ride: no more of it
}

// box is the view that a message asks for.
func (m message) box() (geo.Box, error) {
	if m.West != nil && m.South != nil && m.East != nil && m.North != nil {
		if view := (geo.Box{West: *m.West, South: *m.South, East: *m.East, North: *m.North}); view.Valid() {
			return view, nil
		}
	}
	return geo.Box{}, problem.Field("view", "West and east are -180 to 180 degrees, south and north -90 to 90, south below north.")
}

// serve runs the socket until it or ctx ends.
func (c *client) serve(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		defer cancel()
		c.writeLoop(ctx)
	})

	// A read knows no context: closing the connection is what ends it.
	stop := context.AfterFunc(ctx, func() { _ = c.conn.Close() })
	defer stop()

	// TCP may believe for hours that a client is there that has gone: one that
	// answers no ping for a minute is disconnected.
	c.conn.SetReadLimit(maxMessage)
	alive := func(string) error { return c.conn.SetReadDeadline(time.Now().Add(deadAfter)) }
	c.conn.SetPongHandler(alive)
	_ = alive("")

	c.send(map[string]any{"type": "hello", "version": frameVersion, "you": c.id.Subject})
	for {
		_, raw, err := c.conn.ReadMessage()
		if err != nil {
			cancel()
			return
		}
		_ = alive("")
		if err := c.handle(ctx, raw, &wg); err != nil {
			c.send(map[string]any{"type": "error", "problem": problem.From(err)})
		}
	}
}

// handle does what a message asks for. Its error is told to the client.
func (c *client) handle(ctx context.Context, raw []byte, wg *sync.WaitGroup) error {
	var m message
	if err := httpserver.Decode(bytes.NewReader(raw), &m); err != nil {
		return err
	}

	switch m.Type {
	case "view":
		view, err := m.box()
		if err != nil {
			return err
		}
		c.look(view)
		return nil
	case "ride":
		return c.listenRide(ctx, m.RideID, wg)
	case "driver":
		return c.listenDriver(ctx, wg)
	case "shown_ride":
		if m.Stop {
			c.feed.shown.leave(c)
		} else {
			c.feed.shown.join(c)
		}
		return nil
	}
	return problem.Field("type", "%q is not known; there are view, ride, driver and shown_ride.", m.Type)
}

func (c *client) look(view geo.Box) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.view, c.viewed, c.fresh = view, true, true
}

// know tells the client a driver's number, now and after each change.
func (c *client) know(driver string) {
	c.mu.Lock()
	defer c.mu.Unlock()

	if driver == "" || c.knows[driver] {
		return
	}

	c.knows[driver] = true
	c.tellVehicle(driver)
}

func (c *client) tellVehicle(driver string) {
	c.send(map[string]any{"type": "vehicle", "driver_id": driver, "vehicle": c.feed.world.vehicleOf(driver)})
}

// send queues a text frame. It never waits: a client whose queue is full is
// disconnected.
func (c *client) send(v any) {
	b, err := json.Marshal(v)
	if err != nil {
		c.feed.log.Error("a frame cannot be encoded", "err", err)
		return
	}

	select {
	case c.texts <- b:
	default:
		c.feed.log.Debug("a client is disconnected", "err", errSlow)
		_ = c.conn.Close()
	}
}

// writeLoop is the only one that writes to the socket, which allows one writer.
func (c *client) writeLoop(ctx context.Context) {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			_ = c.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseGoingAway, ""), time.Now().Add(time.Second))
			return
		case b := <-c.texts:
			err = c.write(websocket.TextMessage, b)
		case <-c.wake:
			if b := c.take(time.Now()); b != nil {
				err = c.write(websocket.BinaryMessage, b)
			}
		case <-ping.C:
			err = c.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(WriteWithin))
		}
		if err != nil {
			return
		}
	}
}

func (c *client) write(kind int, b []byte) error {
	if err := c.conn.SetWriteDeadline(time.Now().Add(WriteWithin)); err != nil {
		return err
	}
	return c.conn.WriteMessage(kind, b)
}
