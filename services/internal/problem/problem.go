// Package problem is the one error type that crosses HTTP: RFC 9457
// problem+json. Services return *Error (or wrap one); internal/httpserver maps
// it to a status and a body. Any other error becomes a 500 without detail, so
// nothing internal leaks.
package problem

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Code names a kind of problem. It is stable: clients switch on it.
type Code string

// The codes, each with its HTTP status in Status.
const (
	Invalid         Code = "invalid"         // 400: a field is missing or out of range
	Unauthenticated Code = "unauthenticated" // 401: no token, or one that is not valid
	Forbidden       Code = "forbidden"       // 403: a valid token of the wrong role or person
	NotFound        Code = "not_found"       // 404
	Conflict        Code = "conflict"        // 409: the thing is in another state than the action needs
	Gone            Code = "gone"            // 410: the thing was there and has ended
	TooLarge        Code = "too_large"       // 413
	Unsupported     Code = "unsupported"     // 415: the body is of another type than JSON
	Misdirected     Code = "misdirected"     // 421: asked under a name that is not the server's
	Unprocessable   Code = "unprocessable"   // 422: understood, but may not be done (same key, another body)
	TooMany         Code = "too_many"        // 429
	Unavailable     Code = "unavailable"     // 503: a dependency failed; try again
	Internal        Code = "internal"        // 500
)

// Status is the code's HTTP status.
func (c Code) Status() int {
	switch c {
	case Invalid:
		return http.StatusBadRequest
	case Unauthenticated:
		return http.StatusUnauthorized
	case Forbidden:
		return http.StatusForbidden
	case NotFound:
		return http.StatusNotFound
	case Conflict:
		return http.StatusConflict
	case Gone:
		return http.StatusGone
	case TooLarge:
		return http.StatusRequestEntityTooLarge
	case Unsupported:
		return http.StatusUnsupportedMediaType
	case Misdirected:
		return http.StatusMisdirectedRequest
	case Unprocessable:
		return http.StatusUnprocessableEntity
	case TooMany:
		return http.StatusTooManyRequests
	case Unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// Error is a problem that a client may see. Field names the input that was
// wrong, as the client wrote it; Detail is a sentence that says what is wrong
// and what is allowed; Err is the cause, for logs alone. Extra holds extension
// members of the problem document, such as accepted_through. RetryAfter is when the
// same request may succeed: it becomes the header, in whole seconds, and is no part
// of the document.
type Error struct {
	Code       Code
	Field      string
	Detail     string
	Err        error
	Extra      map[string]any
	RetryAfter time.Duration
}

// Error returns the text for logs.
func (e *Error) Error() string {
	s := string(e.Code)
	if e.Field != "" {
		s += " " + e.Field
	}
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// New returns a problem with a formatted detail.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// Field returns an Invalid problem about one field.
func Field(field, format string, args ...any) *Error {
	return &Error{Code: Invalid, Field: field, Detail: fmt.Sprintf(format, args...)}
}

// Wrap returns a problem with a cause that is logged and not shown.
func Wrap(err error, code Code, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...), Err: err}
}

// From returns the *Error in err's chain, or an Internal one around err.
func From(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}

	// Only the sentence is shown: what an unknown error says may be internal.
	return &Error{Code: Internal, Detail: "Something went wrong on our side. Try again.", Err: err}
}

// ContentType is the media type of a problem document.
const ContentType = "application/problem+json"

// MarshalJSON returns the RFC 9457 document.
func (e *Error) MarshalJSON() ([]byte, error) {
	doc := make(map[string]any, len(e.Extra)+5)
	for k, v := range e.Extra {
		doc[k] = v
	}

	// After Extra, which can overwrite none of these.
	doc["type"] = "tag:tandem,2026:" + string(e.Code)
	doc["title"] = http.StatusText(e.Code.Status())
	doc["status"] = e.Code.Status()
	doc["code"] = e.Code

	if e.Detail != "" {
		doc["detail"] = e.Detail
	}
	if e.Field != "" {
		doc["field"] = e.Field
	}
	return json.Marshal(doc)
}

// UnmarshalJSON reads a document that MarshalJSON wrote. Members that it does not
// know go to Extra.
func (e *Error) UnmarshalJSON(b []byte) error {
	doc := map[string]any{}
	if err := json.Unmarshal(b, &doc); err != nil {
		return fmt.Errorf("problem document: %w", err)
	}

	text := func(k string) string { s, _ := doc[k].(string); delete(doc, k); return s }
	e.Code, e.Detail, e.Field = Code(text("code")), text("detail"), text("field")
	for _, k := range []string{"type", "title", "status"} {
		delete(doc, k)
	}
	e.Extra = doc
	return nil
}
