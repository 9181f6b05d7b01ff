package testenv

import (
	"context"
	"log/slog"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/emulator"
	"tandem/services/internal/awsclient"
)

// EmulatorOption changes the emulator's configuration before it starts.
type EmulatorOption func(*emulator.Config)

// Emulator starts an emulator of its own in this process, on a free port, with
// messaging.yaml's queues and stream, and stops it when the test ends. It keeps
// nothing on disk, throttles as AWS does, reorders standard queues a little and
// duplicates nothing; options change that.
func Emulator(t testing.TB, opts ...EmulatorOption) awsclient.Config {
	t.Helper()
	cfg := emulator.Default()
	cfg.Duplicate = 0
	for _, o := range opts {
		o(&cfg)
	}

	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- emulator.Run(ctx, l, slog.New(slog.DiscardHandler), cfg) }()

	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended, "emulator")
	})

	// The listener is open already: a first call waits until the queues and the
	// stream exist.
	return awsclient.Config{Endpoint: "http://" + l.Addr().String(), Region: "us-east-1"}
}
