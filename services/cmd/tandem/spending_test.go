package main

import (
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
)

func simulate(t *testing.T, args ...string) error {
	t.Helper()
	var c cli
	parser, err := kong.New(&c, kong.Exit(func(int) { t.Fatal("it exits") }))
	require.NoError(t, err)
	// The key is no key: what is allowed fails there, before anything runs.
	_, err = parser.Parse(append([]string{"simulator", "--gateway-url=http://127.0.0.1:1", "--operator-key=x", "--signing-key=%"}, args...))
	require.NoError(t, err)
	return c.Simulator.Run(t.Context())
}

func TestTheSimulatorAsksBeforeItCosts(t *testing.T) {
	require.ErrorContains(t, simulate(t, "--backend=aws"), "--yes-this-costs-money")
	require.ErrorContains(t, simulate(t, "--backend=aws"), "about $0.37 an hour")
	for _, args := range [][]string{{}, {"--backend=localstack"}, {"--backend=aws", "--yes-this-costs-money"}} {
		require.ErrorContains(t, simulate(t, args...), "base64", args)
	}
}
