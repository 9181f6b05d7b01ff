package httpserver_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
)

func TestACapIsForEachClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := httpserver.NewCap(2, "person")
		begin := func(client string) (context.Context, func(), time.Duration) {
			ctx, done, err := c.Begin(t.Context(), client)
			if err == nil {
				return ctx, done, 0
			}
			p := problem.From(err)
			require.Equal(t, problem.TooMany, p.Code)
			return nil, nil, p.RetryAfter
		}

		first, done, wait := begin("ana")
		require.Zero(t, wait)
		second, _, wait := begin("ana")
		require.Zero(t, wait)
		_, _, wait = begin("ana")
		require.Equal(t, time.Second, wait, "some may end soon: none had the time to")
		_, _, wait = begin("otto")
		require.Zero(t, wait, "another client")

		time.Sleep(20 * time.Second)
		_, _, wait = begin("ana")
		require.Equal(t, 20*time.Second, wait, "as long again as none has ended")
		time.Sleep(time.Hour)
		_, _, wait = begin("ana")
		require.Equal(t, time.Minute, wait)

		done()
		require.Error(t, first.Err())
		_, _, wait = begin("ana")
		require.Zero(t, wait, "there is a place again")
		_, _, wait = begin("ana")
		require.Equal(t, time.Second, wait, "one has ended just now")

		c.End("ana")
		require.Error(t, second.Err())
		c.End("nobody")
	})
}
