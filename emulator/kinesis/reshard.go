package kinesis

import (
	"context"

	"tandem/emulator/wire"
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

		if open := len(next.openShards()); open == maxShards {
			return tooManyShards(open + 1)
		}

		next.split(&st.clock, s.nowMS(), *sh, at)
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

		switch {
		case a.End != lastHash() && a.End.next() == b.Start:
			next.merge(&st.clock, s.nowMS(), *a, *b, a.Start, b.End)
		case b.End != lastHash() && b.End.next() == a.Start:
			next.merge(&st.clock, s.nowMS(), *a, *b, b.Start, a.End)
		default:
			return wire.Bad("InvalidArgumentException", "Shards %s and %s in stream %s under account %s are not an adjacent pair of shards eligible for merging.",
				a.ID, b.ID, next.Name, account)
		}
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

// In split and merge a sequence number closes each parent and later ones open
// the children: whatever is put to a child comes after its parents' records.

func (n *streamInfo) split(c *clock, nowMS int64, sh shardInfo, at hashKey) {
	n.closeShard(c, nowMS, sh.ID)
	n.addShard(c, nowMS, sh.Start, at.previous(), sh.ID)
	n.addShard(c, nowMS, at, sh.End, sh.ID)
}

func (n *streamInfo) merge(c *clock, nowMS int64, a, b shardInfo, start, end hashKey) {
	n.closeShard(c, nowMS, a.ID)
	n.closeShard(c, nowMS, b.ID)
	n.addShard(c, nowMS, start, end, a.ID, b.ID)
}

func (n *streamInfo) closeShard(c *clock, nowMS int64, id string) {
	sh := n.shard(id)
	sh.ClosedSeq, sh.Closed = c.take(1, nowMS)
}

func (n *streamInfo) addShard(c *clock, nowMS int64, start, end hashKey, parents ...string) {
	first, opened := c.take(1, nowMS)
	n.Shards = append(n.Shards, shardInfo{ID: shardID(n.NextShard), Start: start, End: end, Parents: parents, FirstSeq: first, Opened: opened})
	n.NextShard++
}

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

	err = s.change(in.target, func(st *stream, next *streamInfo) error {
		now := len(next.openShards())
		if err := mayScale(now, in.TargetShardCount); err != nil {
			return err
		}

		next.scaleTo(&st.clock, s.nowMS(), in.TargetShardCount)
		out = map[string]any{"StreamName": next.Name, "StreamARN": streamARN(next.Name), "CurrentShardCount": now, "TargetShardCount": in.TargetShardCount}
		return nil
	})

	return out, err
}

func mayScale(now, to int) error {
	var rule string
	switch {
	case to > maxShards:
		return tooManyShards(to)
	case to > 2*now:
		rule = "scale up over double"
	case 2*to < now, to < 1:
		rule = "scale down below half"
	case to == now:
		rule = "be asked for"
	default:
		return nil
	}

	return wire.Bad("InvalidArgumentException", "UpdateShardCount cannot %s your current open shard count. Current open shard count: %d Target shard count: %d", rule, now, to)
}

// scaleTo splits what holds a boundary of so many even shards inside it, and then
// merges each shard that begins at none into the one below.
func (n *streamInfo) scaleTo(c *clock, nowMS int64, shards int) {
	starts := map[hashKey]bool{}
	for i := range shards {
		at := boundary(i, shards)
		starts[at] = true
		for _, sh := range n.openShards() {
			if sh.Start.compare(at) < 0 && at.compare(sh.End) <= 0 {
				n.split(c, nowMS, sh, at)
				break
			}
		}
	}

	// Each merge changes the open shards, so they are listed again for every
	// step.
	for at := 1; at < len(n.openShards()); {
		if low, sh := n.openShards()[at-1], n.openShards()[at]; starts[sh.Start] {
			at++
		} else {
			n.merge(c, nowMS, low, sh, low.Start, sh.End)
		}
	}
}
