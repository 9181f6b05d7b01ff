package wire

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"net/http"
	"time"
)

// Stream is the output of an operation that answers with events for as long as
// it runs. The first event (initial-response) is sent before it is called. A
// *Error that it returns is the last event, an exception; nil ends the answer.
type Stream func(ctx context.Context, events *Events) error

// sendWithin is how long a client may take to accept one event; a slower one is
// cut off.
const sendWithin = 30 * time.Second

// Events sends an answer's events, each at once. It is for one goroutine.
type Events struct {
	w           http.ResponseWriter
	control     *http.ResponseController
	contentType string
	buf         []byte
}

// Send sends one event whose payload is JSON.
func (e *Events) Send(name string, payload []byte) error {
	return e.message(payload, ":message-type", "event", ":event-type", name, ":content-type", e.contentType)
}

// fail sends the error as the last message.
func (e *Events) fail(err *Error) error {
	payload, _ := json.Marshal(map[string]string{"message": err.Message}) // text
	return e.message(payload, ":message-type", "exception", ":exception-type", err.Code, ":content-type", e.contentType)
}

func (e *Events) message(payload []byte, headers ...string) error {
	e.buf = appendMessage(e.buf[:0], payload, headers...)

	// The server's own deadlines are for short answers.
	err := e.control.SetWriteDeadline(time.Now().Add(sendWithin))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("event stream: %w", err)
	}

	if _, err := e.w.Write(e.buf); err != nil {
		return fmt.Errorf("event stream: %w", err)
	}
	if err := e.control.Flush(); err != nil {
		return fmt.Errorf("event stream: %w", err)
	}
	return nil
}

// appendMessage appends one message: a prelude (the message's and the headers'
// length, and their CRC-32), the headers, the payload, and the CRC-32 of all
// that. In headers every name is followed by its text.
// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html
func appendMessage(dst, payload []byte, headers ...string) []byte {
	const prelude, checksum, text = 12, 4, 7

	size := 0
	for i := 0; i < len(headers); i += 2 {
		size += 1 + len(headers[i]) + 1 + 2 + len(headers[i+1])
	}

	start := len(dst)
	dst = binary.BigEndian.AppendUint32(dst, uint32(prelude+size+len(payload)+checksum))
	dst = binary.BigEndian.AppendUint32(dst, uint32(size))
	dst = binary.BigEndian.AppendUint32(dst, crc32.ChecksumIEEE(dst[start:]))

	for i := 0; i < len(headers); i += 2 {
		dst = append(append(dst, byte(len(headers[i]))), headers[i]...)
		dst = binary.BigEndian.AppendUint16(append(dst, text), uint16(len(headers[i+1])))
		dst = append(dst, headers[i+1]...)
	}

	dst = append(dst, payload...)
	return binary.BigEndian.AppendUint32(dst, crc32.ChecksumIEEE(dst[start:]))
}

// stream answers with the events of run.
func (s Service) stream(ctx context.Context, w http.ResponseWriter, operation string, run Stream, log *slog.Logger) {
	e := &Events{w: w, control: http.NewResponseController(w), contentType: s.ContentType}

	// The server's read deadline would end the request's context while the answer
	// still runs, since the server reads on to notice that the client has gone.
	if err := e.control.SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return
	}

	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	w.WriteHeader(http.StatusOK)

	err := e.Send("initial-response", []byte("{}"))
	if err == nil {
		err = run(ctx, e)
	}

	var failure *Error
	switch {
	case err == nil || ctx.Err() != nil:
		return
	case !errors.As(err, &failure):
		log.Warn("an event stream ended early", "operation", operation, "err", err)
		return
	}

	if err := e.fail(failure); err != nil {
		log.Debug("an event stream's last event was not sent", "operation", operation, "err", err)
	}
}
