package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"tandem/services/domain/event"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/stream/shardreader"
)

// Stream is the stream that is audited.
const Stream = "driver-locations"

// auditBytes is how fast the audit reads a shard: it leaves readers at the tip
// their share of the shard's 2 MB/s.
const auditBytes = 1 << 20

// streamView is what the stream holds, read once, seen from the readers'
// checkpoints.
type streamView struct {
	history, heatmap map[string]shardreader.Position // by shard

	mu         sync.Mutex
	risen      map[string][]int64 // by driver: each first occurrence, rising
	owed       map[string][]int64 // of them, by driver: what history has passed
	late       int64              // first occurrences that history has passed and heatmap has not
	early      int64              // and the other way round
	points     int64
	repeats    int64
	undecoded  int64
	outOfOrder []string
}

// reached says whether a reader with that checkpoint has passed at.
func reached(checkpoint map[string]shardreader.Position, at shardreader.Position) bool {
	c, ok := checkpoint[at.Shard]
	return ok && comparePositions(at, c) <= 0
}

// comparePositions orders two positions of one shard. Sequence numbers are
// decimal numbers of up to 128 digits without leading zeros.
func comparePositions(a, b shardreader.Position) int {
	return cmp.Or(cmp.Compare(len(a.Sequence), len(b.Sequence)), cmp.Compare(a.Sequence, b.Sequence), cmp.Compare(a.Sub, b.Sub))
}

// readStream reads every shard from start to its tip, as it was at until.
func readStream(ctx context.Context, cfg awsclient.Config, log *slog.Logger, start shardreader.Start, until time.Time, v *streamView) error {
	aws, err := awsclient.New(ctx, cfg)
	if err != nil {
		return err
	}
	r := shardreader.New(shardreader.Options{
		Client: kinesis.NewFromConfig(aws), Stream: Stream, PollEvery: 500 * time.Millisecond, CatchUpBytes: auditBytes, Empty: true, Log: log,
	})
	shards, err := r.Shards(ctx)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	left := map[string]bool{}
	for _, s := range shards {
		left[s.ID] = true
	}
	ctx, enough := context.WithCancel(ctx)
	defer enough()
	v.risen, v.owed = map[string][]int64{}, map[string][]int64{}
	err = r.All(ctx, start, func(_ context.Context, b shardreader.Batch) error {
		v.mu.Lock()
		defer v.mu.Unlock()
		for _, rec := range b.Records {
			v.see(rec)
		}
		if b.Closed || b.Behind == 0 && !b.AsOf.Before(until) {
			if delete(left, b.Shard); len(left) == 0 {
				enough()
			}
		}
		return nil
	})
	if len(left) > 0 || !errors.Is(err, context.Canceled) {
		return fmt.Errorf("audit: read the stream: %w", err)
	}
	return nil
}

func (v *streamView) see(rec shardreader.Record) {
	p, err := event.DecodePoint(rec.Data)
	if err != nil {
		v.undecoded++
		return
	}
	v.points++
	risen := v.risen[p.Driver]
	if n := len(risen); n > 0 && p.Seq <= risen[n-1] {
		if _, seen := slices.BinarySearch(risen, p.Seq); seen {
			v.repeats++
		} else {
			v.outOfOrder = append(v.outOfOrder, fmt.Sprintf("%s: %d after %d at %s %s/%d", p.Driver, p.Seq, risen[n-1], rec.Shard, rec.Sequence, rec.Sub))
		}
		return
	}
	v.risen[p.Driver] = append(risen, p.Seq)
	inHistory, inHeatmap := reached(v.history, rec.Position), reached(v.heatmap, rec.Position)
	if inHistory {
		v.owed[p.Driver] = append(v.owed[p.Driver], p.Seq)
	}
	switch {
	case inHistory && !inHeatmap:
		v.late++
	case inHeatmap && !inHistory:
		v.early++
	}
}
