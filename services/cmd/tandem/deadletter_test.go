package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
)

func parse(t *testing.T, args ...string) *cli {
	t.Helper()
	var c cli
	parser, err := kong.New(&c, kong.Exit(func(int) { t.Fatal("it exits") }))
	require.NoError(t, err)
	_, err = parser.Parse(args)
	require.NoError(t, err)
	return &c
}

func TestTheNextCommandIsOneThatAShellTakes(t *testing.T) {
	t.Setenv("TANDEM_DATA", "")
	dir := filepath.Join(t.TempDir(), "a demo")
	list := parse(t, "deadletter", "list", "--data", dir).Deadletter.List
	require.Equal(t, os.Args[0]+" deadletter show outbox 1 --data '"+dir+"'", list.command("show outbox 1"))

	list = parse(t, "deadletter", "list", "--database-url=postgres://u:secret@h/d", "--backend=emulator", "--aws-endpoint=http://127.0.0.1:1").Deadletter.List
	require.Equal(t, os.Args[0]+" deadletter show outbox 1", list.command("show outbox 1"), "no password on a screen")

	acts := parse(t, "deadletter", "acts", "--limit=201").Deadletter.Acts
	require.ErrorContains(t, acts.Run(t.Context()), "1 to 200")
}

func TestARecordingThatCannotBeDrawnDoesNotBegin(t *testing.T) {
	dir := t.TempDir()
	record := func(args ...string) error {
		return parse(t, append([]string{"autoscale", "record", "--gateway-url=http://127.0.0.1:1"}, args...)...).Autoscale.Record.Run(t.Context())
	}
	svg := filepath.Join(dir, "a.svg")
	require.ErrorContains(t, record("--svg="+svg), "--operator-key is missing")
	require.ErrorContains(t, record("--operator-key=k", "--svg="+filepath.Join(dir, "none", "a.svg")), "no such file")

	// Nobody answers: what was drawn before stays, and nothing empty is left.
	require.ErrorContains(t, record("--operator-key=k", "--svg="+svg), "connection refused")
	require.NoFileExists(t, svg)
	require.NoError(t, os.WriteFile(svg, []byte("before"), 0o600))
	require.Error(t, record("--operator-key=k", "--svg="+svg))
	before, err := os.ReadFile(svg)
	require.NoError(t, err)
	require.Equal(t, "before", string(before))
}
