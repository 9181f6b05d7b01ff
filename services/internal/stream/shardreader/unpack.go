package shardreader

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// batch unpacks an answer and leaves out what lies at or before s.next.
func (s *session) batch(out *kinesis.GetRecordsOutput) Batch {
	b := Batch{
		Shard: s.shard, Next: s.next, Closed: out.NextShardIterator == nil,
		Behind: time.Duration(aws.ToInt64(out.MillisBehindLatest)) * time.Millisecond,
	}
	for i, rec := range out.Records {
		sequence := aws.ToString(rec.SequenceNumber)
		first := i == 0 && s.at
		s.at = s.at && i > 0
		b.Trimmed = b.Trimmed || first && sequence != s.next.Sequence
		for _, u := range unpack(rec) {
			u.Shard = s.shard
			if first && sequence == s.next.Sequence && u.Sub <= s.next.Sub {
				continue
			}
			b.Records = append(b.Records, u)
			b.Next = u.Position
		}
		if b.Next.Sequence != sequence && !(first && sequence == s.next.Sequence) { // an aggregate of nothing
			b.Next = Position{Shard: s.shard, Sequence: sequence}
		}
	}
	return b
}

func unpack(rec types.Record) []Record {
	r := Record{Key: aws.ToString(rec.PartitionKey), Data: rec.Data, Arrived: aws.ToTime(rec.ApproximateArrivalTimestamp)}
	r.Sequence = aws.ToString(rec.SequenceNumber)
	return []Record{r}
}
