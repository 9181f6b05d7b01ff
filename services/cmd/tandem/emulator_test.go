package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"tandem/emulator"
)

func emulate(t *testing.T, args ...string) emulator.Config {
	t.Helper()
	var c cli
	parser, err := kong.New(&c, kong.Exit(func(int) { t.Fatal("it exits") }))
	require.NoError(t, err)

	_, err = parser.Parse(append([]string{"emulator"}, args...))
	require.NoError(t, err)
	return c.Emulator.config()
}

func TestTheEmulatorsFlagsBeginAtItsDefault(t *testing.T) {
	want := emulator.Default()
	got := emulate(t)
	require.Equal(t, 5*time.Minute, got.IteratorLife)
	want.IteratorLife = got.IteratorLife // 0 is 5 minutes
	require.Equal(t, want, got)
}

// The emulator takes the name that is no name of loopback's from --allow-host alone.
func TestTheEmulatorKnowsItsHosts(t *testing.T) {
	for host, status := range map[string]int{"aws.internal:80": 200, "localhost": 200, "evil.example": 421} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())

		cfg, err := emulatorCmd{serving: serving{AllowHost: []string{"aws.internal"}}}.guarded()
		require.NoError(t, err)
		ended := make(chan error, 1)
		go func() { ended <- emulator.Run(ctx, l, slog.New(slog.DiscardHandler), cfg) }()

		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+l.Addr().String()+"/healthz", nil)
		require.NoError(t, err)
		req.Host = host
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, status, resp.StatusCode, host)

		cancel()
		require.NoError(t, <-ended)
	}
}

func TestTheEmulatorsFlags(t *testing.T) {
	got := emulate(t, "--no-limits", "--fsync", "--faults", "--reorder=0", "--duplicate=0", "--seed=7", "--stream-bytes-cap=5", "--iterator-life=1s",
		"--set=Shards=8,StreamRetentionHours=48", "--set=NotificationVisibilitySeconds=5", "--emulator-data=/data", "--max-connections=9")
	require.Equal(t, emulator.Config{
		DataDir: "/data", Fsync: true, Faults: true, Seed: 7, StreamBytesCap: 5, IteratorLife: time.Second, MaxConnections: 9,
		Parameters: map[string]string{"Shards": "8", "StreamRetentionHours": "48", "NotificationVisibilitySeconds": "5"},
	}, got)
}
