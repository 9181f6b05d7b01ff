package reshard

import (
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"tandem/services/internal/stream/kpl"
)

// ErrRefused is of a change that cannot be; the error says what is allowed. Kinesis
// was not asked for it.
var ErrRefused = errors.New("refused")

func refuse(format string, args ...any) error {
	return fmt.Errorf("reshard: %w: %s", ErrRefused, fmt.Sprintf(format, args...))
}

// lineage is a stream's shards, as ListShards returns them.
type lineage struct {
	shards  []types.Shard
	buckets kpl.Buckets
}

func isOpen(s types.Shard) bool { return s.SequenceNumberRange.EndingSequenceNumber == nil }

func (l lineage) open() (open []types.Shard) {
	for _, s := range l.shards {
		if isOpen(s) {
			open = append(open, s)
		}
	}
	return open
}

// names lists the ids of the open shards, for a sentence.
func (l lineage) names() string {
	var ids []string
	for _, s := range l.open() {
		ids = append(ids, aws.ToString(s.ShardId))
	}
	return strings.Join(ids, ", ")
}

// eligible returns the open shard of that id.
func (l lineage) eligible(id string) (types.Shard, error) {
	for _, s := range l.shards {
		switch {
		case aws.ToString(s.ShardId) != id:
		case !isOpen(s):
			return s, refuse("shard %s is closed; open are %s", id, l.names())
		default:
			return s, nil
		}
	}
	return types.Shard{}, refuse("there is no shard %s; open are %s", id, l.names())
}

// holds returns the first of the buckets whose records a shard takes, and how many
// there are.
func (l lineage) holds(s types.Shard) (first, n int) {
	from, to := bounds(s)
	for b := range l.buckets.Count() {
		key, _ := new(big.Int).SetString(l.buckets.HashKey(b), 10)
		if key.Cmp(from) < 0 || key.Cmp(to) > 0 {
			continue
		}

		if n == 0 {
			first = b
		}
		n++
	}
	return first, n
}

// planSplit returns the hash key at which a shard is split: the bound between two
// buckets that leaves each child half of the shard's buckets.
func (l lineage) planSplit(id string) (at string, err error) {
	s, err := l.eligible(id)
	if err != nil {
		return "", err
	}

	first, n := l.holds(s)
	if n < 2 {
		return "", refuse("shard %s holds %d of the %d buckets that producers write to; only a shard with 2 or more can be split, or a child would stay empty", id, n, l.buckets.Count())
	}

	// 2^128 hash keys, cut into 2^buckets parts.
	bound := new(big.Int).Lsh(big.NewInt(int64(first+n/2)), 128-uint(l.buckets))
	return bound.String(), nil
}

// planMerge returns the two shards' ids, the one with the lower hash keys first.
func (l lineage) planMerge(a, b string) (low, high string, err error) {
	first, err := l.eligible(a)
	if err != nil {
		return "", "", err
	}
	second, err := l.eligible(b)
	if err != nil {
		return "", "", err
	}

	switch {
	case before(first, second):
		return a, b, nil
	case before(second, first):
		return b, a, nil
	}

	var next []string
	for _, s := range l.open() {
		if before(s, first) || before(first, s) {
			next = append(next, aws.ToString(s.ShardId))
		}
	}
	if len(next) == 0 {
		return "", "", refuse("%s is the only open shard", a)
	}
	return "", "", refuse("%s and %s are not adjacent; %s can be merged with %s", a, b, a, strings.Join(next, " or "))
}

// planScale checks a number of shards against AWS's rule for one call and against
// the buckets.
func (l lineage) planScale(to int) error {
	now := len(l.open())
	// A stream that has outgrown its buckets may still be made smaller.
	least, most := (now+1)/2, max(min(2*now, l.buckets.Count()), now-1)

	switch {
	case to == now:
		return refuse("%d shards are open already", now)
	case to < least || to > most:
		return refuse("%d shards are open: one call may ask for %d (half) to %d (double, and no more than the %d buckets that producers write to), not for %d", now, least, most, l.buckets.Count(), to)
	}
	return nil
}

// before reports whether the hash keys of b begin where those of a end.
func before(a, b types.Shard) bool {
	_, end := bounds(a)
	start, _ := bounds(b)
	return end.Add(end, big.NewInt(1)).Cmp(start) == 0
}

func bounds(s types.Shard) (from, to *big.Int) {
	return number(s.HashKeyRange.StartingHashKey), number(s.HashKeyRange.EndingHashKey)
}

// number reads a hash key. One that is no number is -1, which is beside none.
func number(s *string) *big.Int {
	if n, ok := new(big.Int).SetString(aws.ToString(s), 10); ok {
		return n
	}
	return big.NewInt(-1)
}
