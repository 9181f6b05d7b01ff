package dispatch

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDeletesAreRememberedForAWhile(t *testing.T) {
	var d deletes
	now := time.UnixMilli(1_800_000_000_000)
	require.Empty(t, d.lately(now))
	d.note(now)
	d.note(now.Add(10 * time.Second))
	require.Equal(t, []int64{now.UnixMilli(), now.UnixMilli() + 10_000}, d.lately(now.Add(deletedFor)))
	require.Equal(t, []int64{now.UnixMilli() + 10_000}, d.lately(now.Add(deletedFor+time.Second)))
	require.Empty(t, d.lately(now.Add(time.Hour)))
}
