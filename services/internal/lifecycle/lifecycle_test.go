package lifecycle_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/lifecycle"
)

func TestGroup(t *testing.T) {
	waits := lifecycle.Task{Name: "waits", Run: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
	broken := errors.New("broken")
	t.Run("a clean end is nil", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.NoError(t, lifecycle.Group(ctx, waits, waits))
	})
	t.Run("the first failure ends the others and is named", func(t *testing.T) {
		err := lifecycle.Group(t.Context(), waits, lifecycle.Task{Name: "relay", Run: func(context.Context) error { return broken }})
		require.ErrorIs(t, err, broken)
		require.ErrorContains(t, err, "relay: ")
	})
	t.Run("a task may not end by itself", func(t *testing.T) {
		err := lifecycle.Group(t.Context(), waits, lifecycle.Task{Name: "sweeper", Run: func(context.Context) error { return nil }})
		require.ErrorContains(t, err, "sweeper ended by itself")
	})
}
