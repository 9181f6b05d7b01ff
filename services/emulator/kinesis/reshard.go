package kinesis

import (
	"context"

	"tandem/services/emulator/wire"
)

type splitIn struct {
	target
	ShardToSplit, NewStartingHashKey string
}

// split closes a shard; two children take its hash keys.
func (s *Service) split(_ context.Context, in splitIn) (wire.Empty, error) {
	return wire.Empty{}, s.change(in.target, func(st *stream, next *streamInfo) error {
		sh, err := next.eligible(in.ShardToSplit)
		if err != nil {
			return err
		}
		at, ok := parseHash(in.NewStartingHashKey)
		if !ok || at.compare(sh.Start.next()) <= 0 || at.compare(sh.End) >= 0 {
			return wire.Bad("InvalidArgumentException",
				"NewStartingHashKey %s used in SplitShard() on shard %s in stream %s under account %s is not both greater than one plus the shard's StartingHashKey %s and less than the shard's EndingHashKey %s.",
				in.NewStartingHashKey, sh.ID, next.Name, account, sh.Start, sh.End)
		}
		if len(next.opens())+1 > maxShards {
			return tooManyShards(len(next.opens()) + 1)
		}
		next.split(&st.clock, s.nowMS(), sh.ID, at)
		return nil
	})
}

type mergeIn struct {
	target
	ShardToMerge, AdjacentShardToMerge string
}

// merge closes two neighbours; one child takes their hash keys.
func (s *Service) merge(_ context.Context, in mergeIn) (wire.Empty, error) {
	return wire.Empty{}, s.change(in.target, func(st *stream, next *streamInfo) error {
		a, err := next.eligible(in.ShardToMerge)
		if err != nil {
			return err
		}
		b, err := next.eligible(in.AdjacentShardToMerge)
		if err != nil {
			return err
		}
		if !a.below(b) && !b.below(a) {
			return wire.Bad("InvalidArgumentException", "Shards %s and %s in stream %s under account %s are not an adjacent pair of shards eligible for merging.",
				a.ID, b.ID, next.Name, account)
		}
		next.merge(&st.clock, s.nowMS(), a.ID, b.ID)
		return nil
	})
}

// eligible finds an open shard.
func (n *streamInfo) eligible(id string) (*shardInfo, error) {
	sh := n.shard(id)
	switch {
	case sh == nil:
		return nil, wire.Bad("ResourceNotFoundException", "Could not find shard %s in stream %s under account %s.", id, n.Name, account)
	case !sh.open():
		return nil, wire.Bad("InvalidArgumentException", "Shard %s in stream %s under account %s has already been merged or split, and thus is not eligible for merging or splitting.",
			id, n.Name, account)
	}
	return sh, nil
}

// below says whether i's hash keys end where other's begin.
func (i *shardInfo) below(other *shardInfo) bool {
	return i.End != lastHash() && i.End.next() == other.Start
}

// split and merge assume that the shards are open, and neighbours: a sequence
// closes the parents, and later ones open the children.

func (n *streamInfo) split(c *clock, nowMS int64, id string, at hashKey) {
	sh := n.shard(id)
	start, end := sh.Start, sh.End
	sh.close(c, nowMS)
	n.addShard(c, nowMS, start, at.previous(), id)
	n.addShard(c, nowMS, at, end, id)
}

func (n *streamInfo) merge(c *clock, nowMS int64, id, adjacent string) {
	a, b := n.shard(id), n.shard(adjacent)
	start, end := a.Start, b.End
	if b.below(a) {
		start, end = b.Start, a.End
	}
	a.close(c, nowMS)
	b.close(c, nowMS)
	n.addShard(c, nowMS, start, end, id, adjacent)
}

func (i *shardInfo) close(c *clock, nowMS int64) { i.ClosedSeq, i.Closed = c.take(1, nowMS) }

type shardCountIn struct {
	target
	TargetShardCount int
	ScalingType      string
}

// updateShardCount makes the open shards even, by splits at the new boundaries
// and merges between them.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_UpdateShardCount.html
func (s *Service) updateShardCount(_ context.Context, in shardCountIn) (out map[string]any, err error) {
	if in.ScalingType != "UNIFORM_SCALING" {
		return nil, invalid("scalingType", "satisfy enum value set: [UNIFORM_SCALING]")
	}
	if in.TargetShardCount < 1 {
		return nil, invalid("targetShardCount", "have value greater than or equal to 1")
	}
	err = s.change(in.target, func(st *stream, next *streamInfo) error {
		now := len(next.opens())
		if err := mayScale(now, in.TargetShardCount); err != nil {
			return err
		}
		next.even(&st.clock, s.nowMS(), in.TargetShardCount)
		out = map[string]any{"StreamName": next.Name, "StreamARN": streamARN(next.Name), "CurrentShardCount": now, "TargetShardCount": in.TargetShardCount}
		return nil
	})
	return out, err
}

func mayScale(now, to int) error {
	refuse := func(rule string) error {
		return wire.Bad("InvalidArgumentException", "UpdateShardCount cannot %s your current open shard count. Current open shard count: %d Target shard count: %d", rule, now, to)
	}
	switch {
	case to > maxShards:
		return tooManyShards(to)
	case to > 2*now:
		return refuse("scale up over double")
	case 2*to < now:
		return refuse("scale down below half")
	case to == now:
		return refuse("be asked for")
	}
	return nil
}

// even splits what holds a boundary of n even shards inside it, and merges what
// lies between two boundaries.
func (n *streamInfo) even(c *clock, nowMS int64, shards int) {
	for i := 1; i < shards; i++ {
		at := boundary(i, shards)
		for _, sh := range n.opens() {
			if sh.Start.compare(at) < 0 && at.compare(sh.End) <= 0 {
				n.split(c, nowMS, sh.ID, at)
				break
			}
		}
	}
	for i := range shards {
		for start := boundary(i, shards); ; {
			open := n.opens()
			at := 0
			for open[at].Start != start {
				at++
			}
			if at+1 == len(open) || i+1 < shards && open[at+1].Start == boundary(i+1, shards) {
				break
			}
			n.merge(c, nowMS, open[at].ID, open[at+1].ID)
		}
	}
}
