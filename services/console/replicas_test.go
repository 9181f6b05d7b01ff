package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Workers come and go behind one name: each that runs is asked, and shown under
// the name that it has in its own status.
func TestReplicasAreAsManyAsTheNameHasAddresses(t *testing.T) {
	worker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, `{"service":"dispatch","pid":1,"detail":{"worker":"dispatch-on-%s"}}`, r.Host)
	}))
	defer worker.Close()
	g := newGatherer(Config{Peers: []Peer{{Name: "dispatch-*", URL: worker.URL}}}, &fakeQueues{}, testSigner(t))
	r := g.groups[0]
	addresses := []string{"127.0.0.1"}
	r.lookup = func(_ context.Context, host string) ([]string, error) {
		require.Equal(t, "127.0.0.1", host)
		if len(addresses) == 0 {
			return nil, errors.New("no such host")
		}
		return addresses, nil
	}
	look := func() []Service {
		g.last = Overview{} // the next answer is not to be shared
		return g.overview(t.Context()).Services
	}

	one := look()
	require.Len(t, one, 1)
	require.True(t, one[0].OK)
	require.Equal(t, "dispatch-on-"+worker.Listener.Addr().String(), one[0].Name)

	addresses = append(addresses, "203.0.113.1") // a documentation address: nobody answers
	two := look()
	require.Len(t, two, 2)
	require.False(t, two[1].OK)
	require.Equal(t, "dispatch-203.0.113.1", two[1].Name)

	addresses = nil
	require.Equal(t, []Service{{Name: "dispatch"}}, look(), "it is missed, not left out")
	_, ok := newReplicas(Peer{Name: "booking", URL: worker.URL}, testSigner(t), time.Now)
	require.False(t, ok)
}
