package gateway_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Who creates guests or guesses the operator's key without end is refused; the
// operator, at the same address, is not.
func TestGuestsAndGuessesAreLimited(t *testing.T) {
	base, _ := start(t, false)
	b := newBrowser(t, base)
	refused := func(header map[string]string, body string) bool {
		for range 40 {
			if status, _ := b.send(t, "POST", "/v1/tokens", header, body); status == 429 {
				return true
			}
		}
		return false
	}

	require.True(t, refused(nil, `{"role":"rider"}`), "guests")
	require.True(t, refused(map[string]string{"X-Operator-Key": "guess"}, `{"role":"admin","subject":"a"}`), "guesses")
	status, _ := b.send(t, "POST", "/v1/tokens", map[string]string{"X-Operator-Key": operatorKey}, `{"role":"admin","subject":"a"}`)
	require.Equal(t, 200, status)
}
