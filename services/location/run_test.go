package location

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/lifecycle"
)

// Whoever runs location kills it after DrainTimeout: by then both have ended, also
// if HTTP takes all of it.
func TestDrainingTakesNoLongerThanItMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		producing, stop := outlasting(ctx)
		defer stop()
		time.Sleep(time.Hour)
		require.NoError(t, producing.Err(), "while location runs")

		cancel()
		began := time.Now()
		synctest.Wait()
		require.NoError(t, producing.Err(), "requests under way wait for it")
		<-producing.Done()
		require.LessOrEqual(t, time.Since(began)+sendRest, lifecycle.DrainTimeout)
	})
}

func TestTheProducerEndsWithHTTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		producing, stop := outlasting(ctx)
		cancel()
		synctest.Wait()
		stop()
		began := time.Now()
		<-producing.Done()
		require.Zero(t, time.Since(began))
	})
}
