package kinesis

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"
)

// A child's numbers lie above all of its parents': by them a client tells which of
// a key's records is the newer one.
func TestAChildBeginsAboveItsParentsEnd(t *testing.T) {
	_, c := fresh(t, Options{Dir: t.TempDir()}, 1)
	c.put("k", "before")
	parent := c.shards()[0]
	middle := "170141183460469231731687303715884105728" // 2^127
	_, err := c.SplitShard(t.Context(), &sdk.SplitShardInput{StreamName: &c.stream, ShardToSplit: parent.ShardId, NewStartingHashKey: &middle})
	require.NoError(t, err)
	halves := c.shards()[1:]
	_, err = c.MergeShards(t.Context(), &sdk.MergeShardsInput{StreamName: &c.stream, ShardToMerge: halves[0].ShardId, AdjacentShardToMerge: halves[1].ShardId})
	require.NoError(t, err)

	ends := map[string]string{}
	all := c.shards()
	require.Len(t, all, 4)
	for _, s := range all {
		for _, p := range []*string{s.ParentShardId, s.AdjacentParentShardId} {
			if p != nil {
				// Decimal texts of one length: they compare as numbers do.
				require.Greater(t, *s.SequenceNumberRange.StartingSequenceNumber, ends[*p], *s.ShardId)
			}
		}
		if end := s.SequenceNumberRange.EndingSequenceNumber; end != nil {
			ends[*s.ShardId] = *end
		}
	}
}
