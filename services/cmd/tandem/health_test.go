package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHealthcheckIsWhatReadyzSays(t *testing.T) {
	ready := true
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !ready {
			http.Error(w, `{"checks":{"queue":"failing"}}`, http.StatusServiceUnavailable)
		}
	}))

	c := healthcheckCmd{URL: s.URL}
	require.NoError(t, c.Run(t.Context()))

	ready = false
	require.ErrorContains(t, c.Run(t.Context()), "queue", "it says which check fails")

	s.Close()
	require.Error(t, c.Run(t.Context()), "nobody answers")
}
