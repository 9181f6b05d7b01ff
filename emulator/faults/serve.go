package faults

import (
	"encoding/json"
	"io"
	"mime"
	"net"
	"net/http"
)

// ServeHTTP answers GET, PUT, POST and DELETE of /_aws/faults.
func (t *Table) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !t.o.On {
		problem(w, http.StatusNotFound, "Faults are off. To turn them on, start the emulator with --faults (or TANDEM_FAULTS=true), and send the rules again.")
		return
	}

	// Whoever sets rules decides what every other client sees.
	if !local(r.RemoteAddr) {
		problem(w, http.StatusForbidden, "Faults are set from the emulator's own machine.")
		return
	}

	switch r.Method {
	case http.MethodGet:
	case http.MethodDelete:
		_ = t.add(nil, true) // none is not too many
	case http.MethodPut, http.MethodPost:
		// A web page of another site can't send this type without asking first.
		if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
			problem(w, http.StatusUnsupportedMediaType, "Send the rules with Content-Type: application/json.")
			return
		}
		if err := t.take(w, r); err != nil {
			problem(w, http.StatusBadRequest, err.Error())
			return
		}
	}

	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(t.show()) // the client is gone if this fails
}

// take reads rules and adds them, or replaces the others by them.
func (t *Table) take(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return err
	}

	rules, err := decode(body, t.o.Operations)
	if err != nil {
		return err
	}
	return t.add(rules, r.Method == http.MethodPut)
}

// local reports whether an address is of this machine's loopback interface.
func local(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && net.ParseIP(host).IsLoopback()
}

// problem answers an error as RFC 9457 describes.
func problem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"title": http.StatusText(status), "status": status, "detail": detail})
}
