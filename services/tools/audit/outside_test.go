package audit

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

// odd is a stream of which one shard never answers, one is written to as fast as it is
// read, and one is gone as soon as it was listed; empty: none is.
type odd struct {
	*fakestream.Stream
	mute, busy, gone string
}

func (o odd) ListShards(ctx context.Context, in *kinesis.ListShardsInput, opts ...func(*kinesis.Options)) (*kinesis.ListShardsOutput, error) {
	out, err := o.Stream.ListShards(ctx, in, opts...)
	if o.gone != "" {
		o.Drop(o.gone)
	}
	return out, err
}

func (o odd) GetRecords(ctx context.Context, in *kinesis.GetRecordsInput, opts ...func(*kinesis.Options)) (*kinesis.GetRecordsOutput, error) {
	shard, _, _ := strings.Cut(*in.ShardIterator, " ")
	if shard == o.mute {
		return nil, fakestream.ErrRefused
	}
	if shard == o.busy {
		o.Put(shard, "d", nil)
	}
	out, err := o.Stream.GetRecords(ctx, in, opts...)
	if err == nil && shard == o.busy {
		out.MillisBehindLatest = aws.Int64(1)
	}
	return out, err
}

// The stream is read to its end of before, whatever goes on: else the audit's snapshot and
// its lock would stay.
func TestTheStreamIsReadToAnEnd(t *testing.T) {
	for name, c := range map[string]struct {
		client odd
		most   int // records that are read; more come
		err    error
	}{
		"a shard that never answers, beside one at its tip": {odd{mute: "a"}, 1, errStalled},
		"a shard that is written to as fast as it is read":  {odd{busy: "b"}, 20, nil},
		"a shard that is gone, with a child":                {odd{gone: "a"}, 2, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.client.Stream = fakestream.New("a", "b")
				c.client.Put("b", "d", nil)
				if c.client.gone != "" {
					c.client.Reshard([]string{"a"}, []string{"c"})
					c.client.Put("c", "d", nil)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()

				read := 0
				err := (&cloud{streams: c.client, log: slog.New(slog.DiscardHandler)}).Stream(ctx, time.Now(), func(shardreader.Record) { read++ })
				require.ErrorIs(t, err, c.err, "%v", err)
				require.NotZero(t, read)
				require.LessOrEqual(t, read, c.most)
			})
		})
	}
}
