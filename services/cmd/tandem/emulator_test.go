package main

import (
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

func TestTheEmulatorsFlags(t *testing.T) {
	got := emulate(t, "--no-limits", "--fsync", "--faults", "--reorder=0", "--duplicate=0", "--seed=7", "--stream-bytes-cap=5", "--iterator-life=1s",
		"--set=Shards=8,StreamRetentionHours=48", "--set=NotificationVisibilitySeconds=5", "--emulator-data=/data")
	require.Equal(t, emulator.Config{
		DataDir: "/data", Fsync: true, Faults: true, Seed: 7, StreamBytesCap: 5, IteratorLife: time.Second,
		Parameters: map[string]string{"Shards": "8", "StreamRetentionHours": "48", "NotificationVisibilitySeconds": "5"},
	}, got)
}
