package replay

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

// silent is a stream that answers no call for records.
type silent struct{ *fakestream.Stream }

func (silent) GetRecords(ctx context.Context, _ *kinesis.GetRecordsInput, _ ...func(*kinesis.Options)) (*kinesis.GetRecordsOutput, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// What was read of such a stream is not the span: its rows would be taken for invented.
func TestASpanOfAStreamThatDoesNotAnswerIsNotEmpty(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, err := shardreader.New(shardreader.Options{Client: silent{fakestream.New("0")}, Stream: "s"})
		require.NoError(t, err)
		s := &source{reader: r, shards: []shardreader.Shard{{ID: "0"}}, out: io.Discard, now: time.Now}

		err = s.read(t.Context(), Span{time.Now().Add(-time.Minute), time.Now()}, func(context.Context, []shardreader.Record) error { return nil })
		require.ErrorContains(t, err, "has answered")
	})
}
