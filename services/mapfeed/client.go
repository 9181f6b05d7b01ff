package mapfeed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
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

	closeWithin = time.Second
)

// closing is why the server ends a socket: a code of RFC 6455, and words for a person.
type closing struct {
	code   int
	reason string // at most 123 bytes
}

func (c closing) Error() string { return "mapfeed: socket closed: " + c.reason }

var (
	errSlow   = closing{websocket.ClosePolicyViolation, "too slow: the text frames that wait do not fit into their queue; connect again"}
	errSilent = closing{websocket.ClosePolicyViolation, "no pong for a minute; connect again"}
	errEnding = closing{websocket.CloseGoingAway, "this server ends; connect again"}
	errGone   = errors.New("mapfeed: the client has gone, or closed its socket")
)

// client is one socket.
type client struct {
	id   auth.Identity
	conn *websocket.Conn
	feed *feed

	wake  chan struct{} // a frame waits
	texts chan []byte

	told time.Time               // when it last took a frame; the writer's own
	end  context.CancelCauseFunc // ends the socket: its peer is told why, if that is a closing

	mu     sync.Mutex
	view   view
	viewed bool              // a view was asked for
	json   bool              // it wants positions as JSON
	fresh  bool              // the next frame must tell everything in the view
	waits  waiting           // what the next frame will tell
	rides  map[string]string // rides it listens to, and who drives each now; empty: nobody
	driver bool              // it listens to its own state
}

// message is what a client sends.
type message struct {
	Type   string   `json:"type"`
	West   *float64 `json:"west"`
	South  *float64 `json:"south"`
	East   *float64 `json:"east"`
	North  *float64 `json:"north"`
	Format string   `json:"format"` // of the positions in a view: binary or json
	RideID string   `json:"ride_id"`
	After  string   `json:"after"` // the seq of the last event of the ride that the client has
	Stop   bool     `json:"stop"`  // of shown_ride: no more of it
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
	ctx, c.end = context.WithCancelCause(ctx)

	// A read knows no context: closing the connection is what ends it.
	closed := make(chan struct{})
	context.AfterFunc(ctx, func() {
		defer close(closed)
		c.close(context.Cause(ctx))
	})

	var wg sync.WaitGroup
	wg.Go(func() { c.end(c.writeLoop(ctx)) })
	c.feed.add(c)
	defer func() {
		c.end(errGone)
		c.feed.drop(c)
		wg.Wait()
		<-closed
	}()

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
			if os.IsTimeout(err) {
				c.end(errSilent)
			}
			return
		}
		_ = alive("")
		if err := c.handle(ctx, raw, &wg); err != nil {
			c.send(map[string]any{"type": "error", "problem": problem.From(err)})
		}
	}
}

// close tells the client why, unless it is what went, and closes the connection. A
// client that takes nothing is told nothing: who waits for it would wait for ever.
func (c *client) close(why error) {
	told := errEnding
	if !errors.Is(why, errGone) {
		_ = errors.As(why, &told)
		_ = c.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(told.code, told.reason), time.Now().Add(closeWithin))
	}
	_ = c.conn.Close()
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
		if m.Format != "" && m.Format != "binary" && m.Format != "json" {
			return problem.Field("format", "Positions come as binary, which is the default, or as json.")
		}
		c.look(view, m.Format == "json")
		return nil
	case "ride":
		return c.listenRide(ctx, m, wg)
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

func (c *client) look(box geo.Box, json bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.view, c.viewed, c.fresh, c.json = viewOf(box), true, true, json
	c.waits = waiting{} // what waits is not everything in the new view
}

// drives notes who drives a ride of this client's now, and tells it that driver's number;
// empty: nobody, so that it is told no other number of who did.
func (c *client) drives(rideID, driver string) {
	c.mu.Lock()
	defer c.mu.Unlock()

	again := slices.Contains(c.known(), driver)
	c.rides[rideID] = driver
	if driver != "" && !again {
		c.tellVehicle(driver)
	}
}

// known returns the drivers whose numbers this client may know: its own, and those who
// drive its rides now. mu is held.
func (c *client) known() []string {
	var out []string
	if c.driver {
		out = append(out, c.id.Subject)
	}
	for _, driver := range c.rides {
		if driver != "" && !slices.Contains(out, driver) {
			out = append(out, driver)
		}
	}
	return out
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
		c.end(errSlow)
	}
}

// writeLoop is the only one that writes frames to the socket, which allows one writer.
func (c *client) writeLoop(ctx context.Context) error {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return errGone // why is known already
		case b := <-c.texts:
			err = c.write(websocket.TextMessage, b)
		case <-c.wake:
			err = c.writePositions()
		case <-ping.C:
			err = c.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(WriteWithin))
		}
		if err != nil {
			return errGone
		}
	}
}

// writePositions writes the frame that waits, if it tells anything.
func (c *client) writePositions() error {
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)

	b, asked := c.take((*buffer)[:0], time.Now())
	if b == nil {
		return nil
	}
	*buffer = b // it may have grown

	if !asked {
		return c.write(websocket.BinaryMessage, b)
	}
	text, err := asJSON(b)
	if err != nil {
		return err
	}
	return c.write(websocket.TextMessage, text)
}

func (c *client) write(kind int, b []byte) error {
	if err := c.conn.SetWriteDeadline(time.Now().Add(WriteWithin)); err != nil {
		return err
	}
	return c.conn.WriteMessage(kind, b)
}
