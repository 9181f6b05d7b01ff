package shardreader

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"tandem/services/internal/stream/kpl"
)

// learnRange asks for the shard's range of hash keys, once, where Options.Outside wants
// it. A shard whose range the answer leaves out has all of its user records handed over.
func (s *session) learnRange(ctx context.Context) error {
	if s.r.o.Outside == nil || s.within != nil {
		return nil
	}

	shards, err := s.r.Shards(ctx)
	if err != nil {
		return err
	}
	for _, shard := range shards {
		if shard.ID == s.shard && shard.hashKeys != nil {
			r, err := kpl.ParseRange(aws.ToString(shard.hashKeys.StartingHashKey), aws.ToString(shard.hashKeys.EndingHashKey))
			if err != nil {
				return fmt.Errorf("shard %s: %w", s.shard, err)
			}
			s.within = &r
			return nil
		}
	}

	all, err := kpl.ParseRange("0", "340282366920938463463374607431768211455")
	s.within = &all
	return err
}

// deaggregate returns a record's user records, without those that lie outside of the
// shard where Options.Outside leaves these out.
func (s *session) deaggregate(rec types.Record) ([]kpl.UserRecord, error) {
	key := aws.ToString(rec.PartitionKey)
	if s.within == nil {
		return kpl.Deaggregate(rec.Data, key)
	}

	users, outside, err := kpl.DeaggregateWithin(*s.within, rec.Data, key)
	if outside > 0 {
		s.r.o.Log.Debug("user records outside of the shard were left out", "shard", s.shard, "sequence", aws.ToString(rec.SequenceNumber), "n", outside)
		s.r.o.Outside(s.shard, outside)
	}
	return users, err
}
