package shardreader

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// batch unpacks what an answer or an event brought and leaves out what lies at
// or before s.next.
func (s *session) batch(records []types.Record, behindMS *int64) Batch {
	b := Batch{Shard: s.shard, Next: s.next, Behind: time.Duration(aws.ToInt64(behindMS)) * time.Millisecond}
	for _, rec := range records {
		sequence, done := aws.ToString(rec.SequenceNumber), -1

		// The first record after resuming is the one that was handled up to Sub.
		// Another one in its place shows that it was trimmed.
		if s.resuming {
			s.resuming = false
			if b.Trimmed = sequence != s.next.Sequence; !b.Trimmed {
				done = s.next.Sub
			}
		}

		// An aggregate of nothing is read once its sequence number is.
		b.Next.Sequence, b.Next.Sub = sequence, max(done, 0)
		for _, u := range s.unpack(rec) {
			if u.Sub > done {
				b.Records = append(b.Records, u)
				b.Next = u.Position
			}
		}
	}
	return b
}

// close marks a batch as its shard's last one. Where the record that reading was to
// go on after has not come by then, nothing of the shard is kept.
func (s *session) close(b *Batch) {
	b.Closed, b.Trimmed = true, b.Trimmed || s.resuming
}

// unpack returns the user records of one Kinesis record; a record that can't be
// unpacked is its own only one.
func (s *session) unpack(rec types.Record) []Record {
	whole := Record{
		Position: Position{Shard: s.shard, Sequence: aws.ToString(rec.SequenceNumber)},
		Key:      aws.ToString(rec.PartitionKey), Data: rec.Data, Arrived: aws.ToTime(rec.ApproximateArrivalTimestamp),
	}

	// Leaving it out would be a hole that nobody knows of: the handler has to see
	// it to count it or put it aside.
	users, err := s.deaggregate(rec)
	if err != nil {
		s.r.o.Log.Warn("a record can't be unpacked; handing it over whole", "shard", s.shard, "sequence", whole.Sequence, "err", err)
		return []Record{whole}
	}

	out := make([]Record, len(users))
	for i, u := range users {
		out[i] = whole
		out[i].Sub, out[i].Key, out[i].Data, out[i].Trace = u.Sub, u.Key, u.Data, u.Trace
	}
	return out
}
