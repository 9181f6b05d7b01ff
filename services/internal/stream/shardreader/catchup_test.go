package shardreader_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

// A reader comes back five minutes late to a shard that takes all it can: 1 MB a
// second. What the shard serves beside is 1 MB more.
func TestAFullShardIsCaughtUpWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fakestream.New("a")
		s.Limit(100) // 10 MB a call
		data := make([]byte, 100_000)
		for i := range 3000 {
			s.PutAt(time.Now().Add(time.Duration(i-3000)*100*time.Millisecond), "a", "k", data)
		}

		r := shardreader.New(polling(s))
		require.NoError(t, during(t, func(ctx context.Context) error {
			return r.Shard(ctx, "a", shardreader.Horizon(), func(context.Context, shardreader.Batch) error { return nil })
		}, func() {
			for range 6 * 600 {
				s.Put("a", "k", data)
				time.Sleep(100 * time.Millisecond)
				if st := r.State()[0]; st.AtTip {
					return
				}
			}
			require.Fail(t, "after 6 minutes", "still %v behind", r.State()[0].Behind)
		}))
	})
}
