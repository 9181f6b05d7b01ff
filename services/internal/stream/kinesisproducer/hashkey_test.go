package kinesisproducer_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/kinesisproducer"
	"tandem/services/internal/stream/kpl"
)

// placed is a fakeStream that notes the hash key by which each user record's key
// was placed.
type placed struct {
	*fakeStream
	mu sync.Mutex
	at map[string]string
}

func (p *placed) PutRecords(ctx context.Context, in *kinesis.PutRecordsInput, opts ...func(*kinesis.Options)) (*kinesis.PutRecordsOutput, error) {
	p.mu.Lock()
	for _, r := range in.Records {
		users, err := kpl.Deaggregate(r.Data, *r.PartitionKey)
		if err != nil {
			return nil, err
		}
		for _, u := range users {
			p.at[u.Key] = aws.ToString(r.ExplicitHashKey)
		}
	}
	p.mu.Unlock()
	return p.fakeStream.PutRecords(ctx, in, opts...)
}

// Without the hash key on the record itself, Kinesis would place an aggregate by
// the partition key of its first user record, and so break the others' order at
// a split.
func TestARecordNamesItsBucket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &placed{fakeStream: newFakeStream(1), at: map[string]string{}}
		p, stop := start(f.fakeStream, func(o *kinesisproducer.Options) { o.Client = f })
		for k := range 40 {
			_, err := p.Put(t.Context(), fmt.Sprint(k), item(1))
			require.NoError(t, err)
		}
		require.NoError(t, stop())

		buckets := kpl.Buckets(3)
		require.Len(t, f.at, 40)
		for key, hash := range f.at {
			require.Equal(t, buckets.HashKey(buckets.Of(key)), hash, key)
		}
	})
}
