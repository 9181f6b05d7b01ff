package sns

import (
	"bytes"
	"encoding/xml"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"tandem/emulator/wire"
)

const namespace = "http://sns.amazonaws.com/doc/2010-03-31/"

// Serve answers a request of the query protocol. The form was parsed before.
func (s *Service) Serve(w http.ResponseWriter, r *http.Request) {
	action := r.PostForm.Get("Action")
	do, ok := s.ops()[action]
	if !ok {
		Fail(w, wire.Bad("UnsupportedOperation", "The emulator has no %s: it knows what Tandem uses.", action))
		return
	}

	// What is no Unicode could not be delivered as it was sent.
	for name, values := range r.PostForm {
		if !utf8.ValidString(name + strings.Join(values, "")) {
			Fail(w, wire.Bad("InvalidParameter", "Invalid parameter: %q Reason: it is no UTF-8", name))
			return
		}
	}

	result, err := do(r.Context(), r.PostForm)
	var e *wire.Error
	switch {
	case errors.As(err, &e):
		Fail(w, e)
	case err != nil && r.Context().Err() != nil:
		// An empty answer would be taken for success.
		Fail(w, &wire.Error{Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable", Message: "The call was given up."})
	case err != nil:
		s.o.Log.Error("an operation failed", "operation", action, "err", err)
		Fail(w, &wire.Error{Status: http.StatusInternalServerError, Code: "InternalError", Message: err.Error()})
	default:
		answer(w, http.StatusOK, action+"Response", action+"Result", result)
	}
}

// Fail answers an error as the query protocol does.
func Fail(w http.ResponseWriter, e *wire.Error) {
	kind := "Sender"
	if e.Status >= http.StatusInternalServerError {
		kind = "Receiver"
	}
	wire.SetErrorType(w, e.Code)
	answer(w, e.Status, "ErrorResponse", "Error", struct{ Type, Code, Message string }{kind, e.Code, e.Message})
}

func answer(w http.ResponseWriter, status int, outer, inner string, v any) {
	var b bytes.Buffer
	enc := xml.NewEncoder(&b)
	start := xml.StartElement{Name: xml.Name{Space: namespace, Local: outer}}
	element := func(name string, v any) error {
		return enc.EncodeElement(v, xml.StartElement{Name: xml.Name{Local: name}})
	}

	err := enc.EncodeToken(start)
	if v != nil {
		err = errors.Join(err, element(inner, v))
	}
	err = errors.Join(err, element("ResponseMetadata", struct {
		RequestID string `xml:"RequestId"`
	}{wire.RequestID(w)}), enc.EncodeToken(start.End()), enc.Flush())

	if err != nil {
		status = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the client is gone if this fails
}
