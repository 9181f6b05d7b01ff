package kinesis

import (
	"context"
	"encoding/json"
	"slices"

	"tandem/emulator/wire"
)

// shardFilter picks shards by when they were open.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_ShardFilter.html
type shardFilter struct {
	Type      string
	ShardID   string        `json:"ShardId,omitempty"`
	Timestamp *wire.Seconds `json:",omitempty"`
}

func (f *shardFilter) check() error {
	if f == nil {
		return nil
	}

	switch f.Type {
	case "AT_TRIM_HORIZON", "FROM_TRIM_HORIZON", "AT_LATEST":
		return nil
	case "AFTER_SHARD_ID":
		if f.ShardID == "" {
			return wire.Bad("InvalidArgumentException", "The shard filter AFTER_SHARD_ID needs a ShardId.")
		}
		return nil
	case "AT_TIMESTAMP", "FROM_TIMESTAMP":
		if f.Timestamp == nil {
			return wire.Bad("InvalidArgumentException", "The shard filter %s needs a Timestamp.", f.Type)
		}
		return nil
	}

	return invalid("shardFilter.type", "satisfy enum value set: [AFTER_SHARD_ID, AT_TRIM_HORIZON, FROM_TRIM_HORIZON, AT_LATEST, AT_TIMESTAMP, FROM_TIMESTAMP]")
}

// matches reports whether the filter lets a shard through; horizonMS is the trim
// horizon of its stream.
func (f *shardFilter) matches(sh shardInfo, horizonMS int64) bool {
	if f == nil {
		return true
	}

	openUntil := func(ms int64) bool { return sh.open() || sh.Closed >= ms }
	switch f.Type {
	case "AFTER_SHARD_ID":
		return sh.ID > f.ShardID
	case "AT_LATEST":
		return sh.open()
	case "AT_TRIM_HORIZON":
		return sh.Opened <= horizonMS && openUntil(horizonMS)
	case "AT_TIMESTAMP":
		at := max(msOf(f.Timestamp), horizonMS)
		return sh.Opened <= at && openUntil(at)
	case "FROM_TIMESTAMP":
		return openUntil(max(msOf(f.Timestamp), horizonMS))
	}
	return true // FROM_TRIM_HORIZON: expired ones are not listed at all
}

type listShardsIn struct {
	target
	ExclusiveStartShardID   string `json:"ExclusiveStartShardId"`
	NextToken               string
	MaxResults              *int
	ShardFilter             *shardFilter
	StreamCreationTimestamp *wire.Seconds
}

func (s *Service) listShards(_ context.Context, in listShardsIn) (map[string]any, error) {
	limit, err := pageLimit("maxResults", in.MaxResults, 1000, 1000)
	if err != nil {
		return nil, err
	}

	created, after := msOf(in.StreamCreationTimestamp), in.ExclusiveStartShardID
	if in.NextToken != "" {
		if in.StreamName != "" || after != "" || created != 0 {
			return nil, wire.Bad("InvalidArgumentException", "NextToken and StreamName, ExclusiveStartShardId or StreamCreationTimestamp cannot be provided together.")
		}

		t, err := s.openToken(in.NextToken)
		if err != nil {
			return nil, err
		}
		in.StreamName, created, after, in.ShardFilter = t.Stream, t.Created, t.After, t.Filter
	}

	if err := in.ShardFilter.check(); err != nil {
		return nil, err
	}

	n, err := s.info(in.target)
	if err != nil {
		return nil, err
	}
	if err := n.checkCreated(created); err != nil {
		return nil, err
	}

	shards, more := n.list(s.nowMS(), after, limit, in.ShardFilter)
	out := map[string]any{"Shards": shards}
	if more {
		last, _ := shards[len(shards)-1]["ShardId"].(string)
		out["NextToken"] = token{n.Name, n.Created, last, in.ShardFilter, s.nowMS()}.text()
	}

	return out, nil
}

// list returns a page of the shards after an ID that are not expired.
func (n *streamInfo) list(nowMS int64, after string, limit int, filter *shardFilter) (out []map[string]any, more bool) {
	horizon := max(n.Created, n.horizon(nowMS))

	page, more := pageOf(n.Shards, limit, func(sh shardInfo) bool {
		return sh.ID > after && !n.expired(sh, nowMS) && filter.matches(sh, horizon)
	})

	out = []map[string]any{}
	for _, sh := range page {
		out = append(out, sh.describe())
	}

	return out, more
}

func (i shardInfo) describe() map[string]any {
	sequences := map[string]string{"StartingSequenceNumber": sequenceText(i.FirstSeq)}
	if !i.open() {
		sequences["EndingSequenceNumber"] = sequenceText(i.ClosedSeq)
	}
	out := map[string]any{"ShardId": i.ID, "HashKeyRange": i.hashKeys(), "SequenceNumberRange": sequences}
	for n, p := range i.Parents {
		out[[]string{"ParentShardId", "AdjacentParentShardId"}[n]] = p
	}
	return out
}

func (i shardInfo) hashKeys() map[string]string {
	return map[string]string{"StartingHashKey": i.Start.String(), "EndingHashKey": i.End.String()}
}

type childShard struct {
	ShardID      string `json:"ShardId"`
	ParentShards []string
	HashKeyRange map[string]string
}

// children returns the shards that took over from a closed one, as JSON.
func (sh *shard) children() []byte {
	out := []childShard{}
	for _, child := range sh.stream.topology().Shards {
		if slices.Contains(child.Parents, sh.id) {
			out = append(out, childShard{child.ID, child.Parents, child.hashKeys()})
		}
	}

	b, _ := json.Marshal(out) // text
	return b
}
