package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// Workers come and go behind one name: each that runs is asked, and shown under
// the name that it has in its own status.
func TestReplicasAreAsManyAsTheNameHasAddresses(t *testing.T) {
	worker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, `{"service":"dispatch","pid":1,"detail":{"worker":"dispatch-on-%s"}}`, r.Host)
	}))
	defer worker.Close()
	r, ok := newReplicas(Peer{Name: "dispatch-*", URL: worker.URL}, testSigner(t))
	require.True(t, ok)
	addresses := []string{"127.0.0.1"}
	r.lookup = func(_ context.Context, host string) ([]string, error) {
		require.Equal(t, "127.0.0.1", host)
		if len(addresses) == 0 {
			return nil, errors.New("no such host")
		}
		return addresses, nil
	}

	one := r.ask(t.Context())
	require.Len(t, one, 1)
	require.True(t, one[0].OK)
	require.Equal(t, "dispatch-on-"+worker.Listener.Addr().String(), one[0].Name)

	addresses = append(addresses, "203.0.113.1") // a documentation address: nobody answers
	ctx, cancel := context.WithTimeout(t.Context(), 200e6)
	defer cancel()
	two := r.ask(ctx)
	require.Len(t, two, 2)
	require.False(t, two[0].OK)
	require.Equal(t, "dispatch-203.0.113.1", two[0].Name)

	addresses = nil
	require.Equal(t, []Service{{Name: "dispatch"}}, r.ask(t.Context()), "it is missed, not left out")
	_, ok = newReplicas(Peer{Name: "booking", URL: worker.URL}, testSigner(t))
	require.False(t, ok)
}
