package httpclient

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"time"
)

const (
	silentFor    = 45 * time.Second // booking sends a heartbeat each 15 s
	maxEventLine = 1 << 20
)

// Event is one server-sent event.
type Event struct {
	ID   string // the newest id so far, that of an event before where this one has none
	Data []byte
}

// Events reads the server-sent events at path over one connection, those that
// follow the event of the id after where that is not "". The sequence ends when
// the server ends the stream. It ends with an error, once, when the server
// refuses (*problem.Error), or when the connection breaks or is silent for 45 s
// (ErrUnreachable). Connecting again is the caller's part.
func (c *Client) Events(ctx context.Context, path, after string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()

		resp, err := c.openEvents(ctx, path, after)
		if err != nil {
			yield(Event{}, err)
			return
		}
		defer func() { _ = resp.Body.Close() }()

		// A connection whose other end has vanished looks like one on which nothing
		// happens, but for the heartbeat: without it the read is ended from here.
		silent := time.AfterFunc(c.silence, cancel)
		defer silent.Stop()

		lines := bufio.NewScanner(resp.Body)
		lines.Buffer(make([]byte, 4<<10), maxEventLine)

		var e Event
		id := after
		for lines.Scan() {
			silent.Reset(c.silence)
			field, value, _ := bytes.Cut(lines.Bytes(), []byte(":"))
			value = bytes.TrimPrefix(value, []byte(" "))

			switch string(field) {
			case "id":
				id = string(value)
			case "data":
				if e.Data != nil {
					e.Data = append(e.Data, '\n')
				}
				e.Data = append(e.Data, value...)
			case "":
				if len(lines.Bytes()) > 0 {
					continue // a comment: the heartbeat
				}

				// The id counts from the blank line on: an event that was cut before
				// it is asked for again.
				e.ID = id
				if e.Data != nil && !yield(e, nil) {
					return
				}
				e.Data = nil
			}
		}

		if err := lines.Err(); err != nil {
			yield(Event{}, fmt.Errorf("%w: events of %s: %w", ErrUnreachable, path, err))
		}
	}
}

// openEvents returns the stream's head; a refusal is a *problem.Error.
func (c *Client) openEvents(ctx context.Context, path, after string) (*http.Response, error) {
	header := map[string]string{"Accept": "text/event-stream"}
	if after != "" {
		header["Last-Event-ID"] = after
	}

	resp, err := c.send(ctx, Request{Method: http.MethodGet, Path: path, Header: header})
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}

	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("%w: events of %s: %w", ErrUnreachable, path, err)
	}
	return nil, decodeProblem(resp.StatusCode, answer)
}
