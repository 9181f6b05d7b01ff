package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Without the id typed again, or --yes, it does not even look for a database.
func TestAnErasureIsConfirmed(t *testing.T) {
	t.Parallel()
	for answer, confirmed := range map[string]bool{"d-1\n": true, "d-1": true, "y\n": false, "": false, "d-2\n": false} {
		var asked strings.Builder
		c := parse(t, "erase", "driver", "d-1", "--database-url=postgres://nobody@127.0.0.1:1/none").Erase.Driver
		err := c.run(t.Context(), strings.NewReader(answer), &asked)
		require.Contains(t, asked.String(), "driver d-1 are erased for good")
		if confirmed {
			require.ErrorContains(t, err, "127.0.0.1")
		} else {
			require.ErrorContains(t, err, "nothing was erased")
		}
	}

	var asked strings.Builder
	yes := parse(t, "erase", "driver", "d-1", "--yes", "--database-url=postgres://nobody@127.0.0.1:1/none").Erase.Driver
	require.ErrorContains(t, yes.run(t.Context(), strings.NewReader(""), &asked), "127.0.0.1")
	require.Empty(t, asked.String())
	require.ErrorContains(t, parse(t, "erase", "driver", "d 1", "--yes").Erase.Driver.Run(t.Context()), "no driver has this id")
}
