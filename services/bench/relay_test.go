package main

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/test/testenv"
)

// withDatabase returns clients of an emulator and a database of the test's own.
func withDatabase(t *testing.T) clients {
	t.Helper()
	c, err := connect(t.Context(), testenv.Emulator(t).Endpoint)
	require.NoError(t, err)

	url, _ := testenv.Database(t)
	c.db, err = openDatabase(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(c.db.close)
	return c
}

func TestSendersSendEveryRow(t *testing.T) {
	c := withDatabase(t)
	for name, s := range map[string]sender{"relay": relay(), "one by one": oneByOne()} {
		for _, keys := range []int{1, 3, 25} {
			for _, w := range []where{{}, {unflushed: true}} {
				rate, err := empty(25, keys, w, s)(t.Context(), c)
				require.NoError(t, err, "%s, %d keys, %+v", name, keys, w)
				require.Positive(t, rate)
			}
		}
	}
}

func TestASenderThatSendsTooLittleIsNotMeasured(t *testing.T) {
	lazy := relay()
	lazy.send = func(context.Context, *pgxpool.Pool, *sqs.Client, string, int) error { return nil }
	_, err := empty(10, 2, where{}, lazy)(t.Context(), withDatabase(t))
	require.ErrorContains(t, err, "10 rows were sent, and the queue has 0 messages")
}

func TestUnflushedCommitsAreAskedForOnePoolAlone(t *testing.T) {
	c := withDatabase(t)
	for want, pool := range map[string]*pgxpool.Pool{"on": c.db.flushed, "off": c.db.unflushed} {
		var got string
		require.NoError(t, pool.QueryRow(t.Context(), `SHOW synchronous_commit`).Scan(&got))
		require.Equal(t, want, got)
	}
}
