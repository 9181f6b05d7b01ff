package reshard

import (
	"context"
	"fmt"
	"io"
	"math/big"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/kpl"
)

// shardsOf returns n open shards of equal size, named a, b, c and so on, and a
// closed one, z.
func shardsOf(n int, buckets kpl.Buckets) lineage {
	l := lineage{buckets: buckets}
	size := new(big.Int).Lsh(big.NewInt(1), 128)
	size.Div(size, big.NewInt(int64(n)))
	for i := range n {
		from := new(big.Int).Mul(size, big.NewInt(int64(i)))
		to := new(big.Int).Add(from, size)
		l.shards = append(l.shards, types.Shard{
			ShardId: aws.String(string(rune('a' + i))), SequenceNumberRange: &types.SequenceNumberRange{},
			HashKeyRange: &types.HashKeyRange{StartingHashKey: aws.String(from.String()), EndingHashKey: aws.String(to.Sub(to, big.NewInt(1)).String())},
		})
	}
	l.shards = append(l.shards, types.Shard{
		ShardId: aws.String("z"), HashKeyRange: l.shards[0].HashKeyRange, SequenceNumberRange: &types.SequenceNumberRange{EndingSequenceNumber: aws.String("9")},
	})
	return l
}

func TestWhatCannotBeIsRefusedWithWhatIsAllowed(t *testing.T) {
	t.Parallel()
	split := func(l lineage, id string) error { _, err := l.planSplit(id); return err }
	merge := func(l lineage, a, b string) error { _, _, err := l.planMerge(a, b); return err }
	four := shardsOf(4, 3)

	for want, err := range map[string]error{
		"there is no shard y; open are a, b, c, d":                       split(four, "y"),
		"shard z is closed; open are a, b, c, d":                         split(four, "z"),
		"shard a holds 1 of the 8 buckets":                               split(shardsOf(8, 3), "a"),
		"a and c are not adjacent; a can be merged with b":               merge(four, "a", "c"),
		"b and d are not adjacent; b can be merged with a or c":          merge(four, "b", "d"),
		"b and b are not adjacent":                                       merge(four, "b", "b"),
		"shard z is closed":                                              merge(four, "a", "z"),
		"a is the only open shard":                                       merge(shardsOf(1, 3), "a", "a"),
		"4 shards are open already":                                      four.planScale(4),
		"may ask for 2 (half) to 8":                                      four.planScale(9),
		"no more than the 8 buckets that producers write to), not for 1": four.planScale(1),
		"may ask for 3 (half) to 8":                                      shardsOf(5, 3).planScale(2),
		"may ask for 1 (half) to 2":                                      shardsOf(1, 3).planScale(0),
	} {
		require.ErrorIs(t, err, ErrRefused, want)
		require.ErrorContains(t, err, want)
	}

	for _, n := range []int{2, 3, 8} {
		require.NoError(t, four.planScale(n), n)
	}
	require.NoError(t, shardsOf(12, 3).planScale(8), "a stream that has outgrown its buckets")
}

func TestASplitLeavesEachChildHalfOfTheBuckets(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 8; n++ {
		l := shardsOf(n, 4)
		for _, s := range l.open() {
			at, err := l.planSplit(*s.ShardId)
			require.NoError(t, err)

			_, all := l.holds(s)
			high := s
			high.HashKeyRange = &types.HashKeyRange{StartingHashKey: &at, EndingHashKey: s.HashKeyRange.EndingHashKey}
			_, above := l.holds(high)
			require.Equal(t, all-all/2, above, "shard %s of %d", *s.ShardId, n)
		}
	}
}

func TestAMergeIsAskedForInOrderOfHashKeys(t *testing.T) {
	t.Parallel()
	low, high, err := shardsOf(4, 3).planMerge("c", "b")
	require.NoError(t, err)
	require.Equal(t, "bc", low+high)
}

// updating is a stream that stays UPDATING once it was asked for a change.
type updating struct {
	Client
	l     lineage
	asked int
	stale bool // it answers ACTIVE, as of before the change
}

func (u *updating) DescribeStreamSummary(context.Context, *kinesis.DescribeStreamSummaryInput, ...func(*kinesis.Options)) (*kinesis.DescribeStreamSummaryOutput, error) {
	status := types.StreamStatusActive
	if u.asked > 0 && !u.stale {
		status = types.StreamStatusUpdating
	}
	return &kinesis.DescribeStreamSummaryOutput{StreamDescriptionSummary: &types.StreamDescriptionSummary{StreamStatus: status, OpenShardCount: aws.Int32(4)}}, nil
}

// ListShards has a shard on each page.
func (u *updating) ListShards(_ context.Context, in *kinesis.ListShardsInput, _ ...func(*kinesis.Options)) (*kinesis.ListShardsOutput, error) {
	i := 0
	if in.NextToken != nil {
		if in.StreamName != nil {
			return nil, fmt.Errorf("a name beside a token")
		}
		_, _ = fmt.Sscan(*in.NextToken, &i)
	}
	out := &kinesis.ListShardsOutput{Shards: u.l.shards[i : i+1]}
	if i+1 < len(u.l.shards) {
		out.NextToken = aws.String(fmt.Sprint(i + 1))
	}
	return out, nil
}

func (u *updating) UpdateShardCount(context.Context, *kinesis.UpdateShardCountInput, ...func(*kinesis.Options)) (*kinesis.UpdateShardCountOutput, error) {
	u.asked++
	return &kinesis.UpdateShardCountOutput{}, nil
}

func TestTheWaitHasADeadlineAndShowsProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := &updating{l: shardsOf(4, 3)}
		var out strings.Builder
		tool := Tool{Client: u, Stream: "s", Buckets: 3, Wait: time.Minute, Every: time.Second, Out: &out}

		require.ErrorIs(t, tool.Scale(t.Context(), 9), ErrRefused)
		require.Zero(t, u.asked, "Kinesis is not asked for what cannot be")

		began := time.Now()
		err := tool.Scale(t.Context(), 8)
		require.ErrorIs(t, err, ErrDeadline)
		require.ErrorContains(t, err, "goes on with it")
		require.Equal(t, time.Minute, time.Since(began))
		require.Equal(t, 1, u.asked)
		require.Equal(t, 1, strings.Count(out.String(), "s is UPDATING, 4 open shards"), "once, not at each look")
	})
}

func TestActiveAsOfBeforeTheChangeIsNotTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tool := Tool{Client: &updating{l: shardsOf(4, 3), stale: true}, Stream: "s", Buckets: 3, Wait: time.Minute, Every: time.Second, Out: io.Discard}
		require.ErrorIs(t, tool.Scale(t.Context(), 8), ErrDeadline)
	})
}
