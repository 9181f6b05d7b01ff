package mapfeed

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A client that does not take its text frames is disconnected; whoever has one for
// it does not wait.
func TestAFullQueueEndsTheClient(t *testing.T) {
	f, base, signer := start(t, "")
	c := &client{conn: dial(t, base, signer, viewer), feed: f, texts: make(chan []byte, 1)}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		c.send("first")
		c.send("second")
	}()

	select {
	case <-sent:
	case <-time.After(20 * time.Second):
		t.Fatal("send waits for the client")
	}
	var err error
	for err == nil {
		_, _, err = c.conn.ReadMessage()
	}
	require.ErrorIs(t, err, net.ErrClosed)
}
