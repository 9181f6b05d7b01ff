package booking

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

// writeWithin bounds one write to a client of a stream; a slower client is
// disconnected and may come back with Last-Event-ID.
const writeWithin = 10 * time.Second

// streamEnd ends a stream after an error. If the answer has begun, no error can be
// sent any more: the client connects again.
func streamEnd(c *gin.Context, err error) error {
	if c.Writer.Written() || c.Request.Context().Err() != nil {
		return cut()
	}
	return explain(err)
}

// cut ends a stream before its end, as this service stops or its database is away. It
// breaks the connection: an end in order would tell the client that nothing follows,
// and whoever relays a ride's events would never ask for the rest.
func cut() error { panic(http.ErrAbortHandler) }

// sse writes server-sent events.
type sse struct {
	c  *gin.Context
	rc *http.ResponseController
}

func newSSE(c *gin.Context) *sse {
	h := c.Writer.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // a proxy must not collect events
	c.Status(http.StatusOK)
	return &sse{c, http.NewResponseController(c.Writer)}
}

func (s *sse) event(id, kind string, data any) error {
	b, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}

	text := "event: " + kind + "\ndata: " + string(b) + "\n\n"
	if id != "" {
		text = "id: " + id + "\n" + text
	}
	return s.write(text)
}

// comment keeps the connection alive; clients ignore it.
func (s *sse) comment(text string) error { return s.write(": " + text + "\n\n") }

func (s *sse) write(text string) error {
	// A client that does not read must not hold the goroutine for ever.
	_ = s.rc.SetWriteDeadline(time.Now().Add(writeWithin)) // not every writer has deadlines
	if _, err := s.c.Writer.WriteString(text); err != nil {
		return err
	}
	return s.rc.Flush()
}
