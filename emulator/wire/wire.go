package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"
)

// MaxBody is the largest request: PutRecords' 10 MiB in base64, and its keys.
const MaxBody = 16 << 20

// Error is an error as AWS answers it.
type Error struct {
	Status  int    // HTTP status
	Code    string // the SDK's error type
	Message string
	Query   string // the code that SQS's query protocol had, for SDKs that look at it
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Bad returns an error with status 400.
func Bad(code, format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Op is one operation. Its output is written as JSON, unless it is Raw, which is
// JSON already, or a Stream, which answers with events.
type Op func(ctx context.Context, body []byte) (any, error)

// Handle returns the Op of a function with a typed input.
func Handle[In, Out any](f func(context.Context, In) (Out, error)) Op {
	return func(ctx context.Context, body []byte) (any, error) {
		// encoding/json would put U+FFFD in place of what is no Unicode, and a client
		// would read another text than it sent.
		if !Unicode(body) {
			return nil, Bad("SerializationException", "The request has text that is no Unicode: a byte that is no UTF-8, or half a surrogate pair.")
		}

		var in In
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, Bad("SerializationException", "The request cannot be read: %v", err)
		}
		return f(ctx, in)
	}
}

// Raw is a ready-made answer. Release, unless nil, is called when it has been
// written: the bytes may then be used again.
type Raw struct {
	JSON    []byte
	Release func()
}

// Service is one AWS service's operations by name.
type Service struct {
	Prefix      string // of X-Amz-Target, such as AmazonSQS
	ContentType string
	Ops         map[string]Op
	CBOR        bool // it speaks CBOR with clients that do

	inCBOR bool // this call's client speaks it
}

// idHeader has the id of an answer, typeHeader the type of an error.
const (
	idHeader   = "X-Amzn-Requestid"
	typeHeader = "X-Amzn-Errortype"
)

// RequestID returns the id of the answer that w writes: each has one, which SDKs
// show in their errors and logs.
func RequestID(w http.ResponseWriter) string {
	id := w.Header().Get(idHeader)
	if id == "" {
		id = uuid.NewString()
		w.Header().Set(idHeader, id)
	}
	return id
}

// SetErrorType says in the answer's header which error it is. SDKs look there
// first, and find it even where they cannot read the body.
func SetErrorType(w http.ResponseWriter, code string) { w.Header().Set(typeHeader, code) }

// Serve answers r, whose X-Amz-Target is target (Prefix.Operation).
func (s Service) Serve(w http.ResponseWriter, r *http.Request, target string, log *slog.Logger) {
	name := strings.TrimPrefix(target, s.Prefix+".")
	streams := false
	RequestID(w)

	speaksCBOR := strings.HasPrefix(r.Header.Get("Content-Type"), cborType)
	s.inCBOR = speaksCBOR && s.CBOR

	// A panic fails this call alone.
	defer func() {
		if p := recover(); p != nil {
			log.Error("an operation panicked", "operation", name, "panic", p, "stack", string(debug.Stack()))
			if streams {
				// The answer has begun: the client must see that it is torn.
				panic(http.ErrAbortHandler)
			}
			s.Fail(w, &Error{Status: http.StatusInternalServerError, Code: "InternalFailure", Message: "The emulator failed; its log says where."})
		}
	}()

	op, ok := s.Ops[name]
	if !ok {
		s.Fail(w, Bad("UnsupportedOperation", "The emulator has no %s: it knows what Tandem uses.", name))
		return
	}

	if speaksCBOR && !s.CBOR {
		s.Fail(w, Bad("SerializationException", "The emulator speaks CBOR with clients of Kinesis alone, and JSON with all others: "+
			"turn CBOR off with AWS_CBOR_DISABLE=true, or in Java with -Daws.cborEnabled=false."))
		return
	}

	body, err := read(w, r)
	if err == nil && s.inCBOR {
		body, err = fromCBOR(body)
	}
	if err != nil {
		s.Fail(w, Bad("SerializationException", "The body cannot be read: %v", err))
		return
	}

	out, err := op(r.Context(), body)
	var e *Error
	switch {
	case errors.As(err, &e):
		s.Fail(w, e)
	case err != nil && r.Context().Err() != nil:
		// The client is gone, or it waited when the emulator stopped. It must not get an
		// empty answer, which it would take for success.
		s.Fail(w, &Error{Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable", Message: "The call was given up."})
	case err != nil:
		log.Error("an operation failed", "operation", name, "err", err)
		s.Fail(w, &Error{Status: http.StatusInternalServerError, Code: "InternalFailure", Message: err.Error()})
	default:
		if run, ok := out.(Stream); ok {
			streams = true
			s.stream(r.Context(), w, name, run, log)
			return
		}
		s.answer(w, http.StatusOK, out)
	}
}

// Fail answers an error.
func (s Service) Fail(w http.ResponseWriter, e *Error) {
	if e.Query != "" {
		w.Header().Set("x-amzn-query-error", e.Query+";Sender")
	}
	SetErrorType(w, e.Code)
	s.answer(w, e.Status, map[string]string{"__type": e.Code, "message": e.Message})
}

func (s Service) answer(w http.ResponseWriter, status int, out any) {
	if raw, ok := out.(Raw); ok && raw.Release != nil {
		defer raw.Release()
	}

	contentType, b, err := s.encode(out)
	if err != nil {
		status, b = http.StatusInternalServerError, nil
		SetErrorType(w, "InternalFailure")
	}

	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(b) // the client is gone if this fails
}

// encode returns an output as this call's client reads it.
func (s Service) encode(out any) (contentType string, b []byte, err error) {
	if raw, ok := out.(Raw); ok {
		b = raw.JSON
	} else if b, err = json.Marshal(out); err != nil {
		return s.ContentType, nil, fmt.Errorf("wire: %w", err)
	}

	if !s.inCBOR {
		return s.ContentType, b, nil
	}
	b, err = toCBOR(b)
	return cborType + "1.1", b, err
}

// read reads a body, into one buffer if its length is announced.
func read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	length := min(max(r.ContentLength, 0), MaxBody)
	buf := bytes.NewBuffer(make([]byte, 0, length+bytes.MinRead))
	_, err := buf.ReadFrom(http.MaxBytesReader(w, r.Body, MaxBody))
	return buf.Bytes(), err
}

// Empty is the output of operations that have none.
type Empty struct{}

// Seconds is a time as the JSON protocols write it: seconds since 1970 with
// milliseconds.
type Seconds time.Time

// MarshalJSON writes seconds with three digits.
func (t Seconds) MarshalJSON() ([]byte, error) {
	ms := time.Time(t).UnixMilli()
	return fmt.Appendf(nil, "%d.%03d", ms/1000, ms%1000), nil
}

// UnmarshalJSON reads seconds, with or without a fraction.
func (t *Seconds) UnmarshalJSON(b []byte) error {
	var f float64
	if err := json.Unmarshal(b, &f); err != nil {
		return fmt.Errorf("a time is a number of seconds: %w", err)
	}

	if f < 0 || f > 1e11 {
		return fmt.Errorf("a time of %g seconds is out of range", f)
	}

	*t = Seconds(time.UnixMilli(int64(f*1000 + 0.5)))
	return nil
}
