package kinesis

import (
	"context"
	"fmt"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"tandem/services/emulator/wire"
)

// Ops gives the operations.
func (s *Service) Ops() map[string]wire.Op {
	return map[string]wire.Op{
		"CreateStream": wire.Handle(func(_ context.Context, in createIn) (wire.Empty, error) {
			return wire.Empty{}, s.Create(in.StreamName, int(in.ShardCount), 24)
		}),
		"DeleteStream":                  wire.Handle(s.deleteStream),
		"ListStreams":                   wire.Handle(s.listStreams),
		"DescribeStream":                wire.Handle(s.describe),
		"DescribeStreamSummary":         wire.Handle(s.summary),
		"ListShards":                    wire.Handle(s.listShards),
		"IncreaseStreamRetentionPeriod": wire.Handle(s.setRetention),
		"DecreaseStreamRetentionPeriod": wire.Handle(s.setRetention),
		"SplitShard":                    wire.Handle(s.split),
		"MergeShards":                   wire.Handle(s.merge),
		"PutRecord":                     wire.Handle(s.putRecord),
		"PutRecords":                    wire.Handle(s.putRecords),
		"GetShardIterator":              wire.Handle(s.iterator),
		"GetRecords":                    wire.Handle(s.getRecords),
	}
}

type createIn struct {
	StreamName string
	ShardCount int32
}

var streamName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,128}$`)

const maxShards = 200

// Create makes a stream whose shards share the hash keys evenly.
func (s *Service) Create(name string, shards int, retentionHours int32) error {
	if !streamName.MatchString(name) || shards < 1 || shards > maxShards {
		return wire.Bad("ValidationException", "A stream has a name of 1 to 128 of A-Z a-z 0-9 _ . - and 1 to %d shards.", maxShards)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.streams[name] != nil {
		return wire.Bad("ResourceInUseException", "Stream %s under account %s already exists.", name, account)
	}
	st := &stream{Name: name, Created: time.Now().UnixMilli(), Retention: retentionHours}
	st.next = firstSequence(st.Created)
	size := new(big.Int).Div(maxHash(), big.NewInt(int64(shards)))
	start := big.NewInt(0)
	for i := range shards {
		end := new(big.Int).Add(start, size)
		if i == shards-1 {
			end = maxHash()
		}
		if err := s.addShard(st, start, end); err != nil {
			return err
		}
		start = new(big.Int).Add(end, big.NewInt(1))
	}
	s.streams[name] = st
	return s.saveTopology()
}

func (s *Service) addShard(st *stream, start, end *big.Int, parents ...string) error {
	sh := &shard{ID: fmt.Sprintf("shardId-%012d", len(st.Shards)), Start: start, End: end, Parents: parents, FirstSeq: st.next}
	st.next++
	st.Shards = append(st.Shards, sh)
	return s.openShard(st, sh)
}

// Has says whether there is a stream of this name.
func (s *Service) Has(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.streams[name] != nil
}

func (s *Service) deleteStream(_ context.Context, in target) (wire.Empty, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.find(in)
	if err != nil {
		return wire.Empty{}, err
	}
	delete(s.streams, st.Name)
	if err := s.saveTopology(); err != nil {
		return wire.Empty{}, err
	}
	for _, sh := range st.Shards {
		if err := sh.log.close(); err != nil {
			return wire.Empty{}, err
		}
	}
	return wire.Empty{}, os.RemoveAll(filepath.Join(s.o.Dir, fmt.Sprintf("%s-%d", st.Name, st.Created)))
}

func (s *Service) listStreams(context.Context, struct{}) (map[string]any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := slices.Sorted(maps.Keys(s.streams))
	if names == nil {
		names = []string{}
	}
	return map[string]any{"StreamNames": names, "HasMoreStreams": false}, nil
}

func (st *stream) describe() map[string]any {
	open := 0
	for _, sh := range st.Shards {
		if sh.open() {
			open++
		}
	}
	return map[string]any{
		"StreamName": st.Name, "StreamARN": arn(st.Name), "StreamStatus": "ACTIVE", "RetentionPeriodHours": st.Retention,
		"StreamCreationTimestamp": wire.Seconds(time.UnixMilli(st.Created)), "EnhancedMonitoring": []any{map[string]any{"ShardLevelMetrics": []string{}}},
		"EncryptionType": "NONE", "OpenShardCount": open, "ConsumerCount": len(st.Consumers),
		"StreamModeDetails": map[string]string{"StreamMode": "PROVISIONED"}, "MaxRecordSizeInKiB": 1024,
	}
}

func (s *Service) summary(_ context.Context, in target) (map[string]any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.find(in)
	if err != nil {
		return nil, err
	}
	return map[string]any{"StreamDescriptionSummary": st.describe()}, nil
}

func (s *Service) describe(_ context.Context, in target) (map[string]any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.find(in)
	if err != nil {
		return nil, err
	}
	d := st.describe()
	d["Shards"], d["HasMoreShards"] = st.list(func(*shard) bool { return true }), false
	return map[string]any{"StreamDescription": d}, nil
}

func (st *stream) list(want func(*shard) bool) []map[string]any {
	out := []map[string]any{}
	for _, sh := range st.Shards {
		if !want(sh) {
			continue
		}
		rng := map[string]string{"StartingSequenceNumber": sequenceText(sh.FirstSeq)}
		if !sh.open() {
			rng["EndingSequenceNumber"] = sequenceText(sh.ClosedSeq)
		}
		one := map[string]any{
			"ShardId": sh.ID, "HashKeyRange": map[string]string{"StartingHashKey": sh.Start.String(), "EndingHashKey": sh.End.String()},
			"SequenceNumberRange": rng,
		}
		for i, p := range sh.Parents {
			one[[]string{"ParentShardId", "AdjacentParentShardId"}[i]] = p
		}
		out = append(out, one)
	}
	return out
}

type listShardsIn struct {
	target
	ExclusiveStartShardID string `json:"ExclusiveStartShardId"`
	NextToken             string
	ShardFilter           *struct{ Type string }
}

func (s *Service) listShards(_ context.Context, in listShardsIn) (map[string]any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if in.NextToken != "" {
		return nil, wire.Bad("ExpiredNextTokenException", "The emulator answers all shards at once and gives no token.")
	}
	st, err := s.find(in.target)
	if err != nil {
		return nil, err
	}
	return map[string]any{"Shards": st.list(func(sh *shard) bool {
		if in.ShardFilter != nil && in.ShardFilter.Type == "AT_LATEST" && !sh.open() {
			return false
		}
		return sh.ID > in.ExclusiveStartShardID
	})}, nil
}

type retentionIn struct {
	target
	RetentionPeriodHours int32
}

func (s *Service) setRetention(_ context.Context, in retentionIn) (wire.Empty, error) {
	if in.RetentionPeriodHours < 24 || in.RetentionPeriodHours > 8760 {
		return wire.Empty{}, wire.Bad("InvalidArgumentException", "The retention period is 24 to 8760 hours.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.find(in.target)
	if err != nil {
		return wire.Empty{}, err
	}
	st.Retention = in.RetentionPeriodHours
	return wire.Empty{}, s.saveTopology()
}

type splitIn struct {
	target
	ShardToSplit, NewStartingHashKey string
}

// split closes a shard; two children take its hash keys.
func (s *Service) split(_ context.Context, in splitIn) (wire.Empty, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.find(in.target)
	if err != nil {
		return wire.Empty{}, err
	}
	sh := st.shard(in.ShardToSplit)
	if sh == nil || !sh.open() {
		return wire.Empty{}, st.gone(in.ShardToSplit)
	}
	at, ok := new(big.Int).SetString(in.NewStartingHashKey, 10)
	if !ok || at.Cmp(sh.Start) <= 0 || at.Cmp(sh.End) > 0 {
		return wire.Empty{}, wire.Bad("InvalidArgumentException", "NewStartingHashKey %s is not inside the shard's hash keys.", in.NewStartingHashKey)
	}
	st.close(sh)
	if err := s.addShard(st, sh.Start, new(big.Int).Sub(at, big.NewInt(1)), sh.ID); err != nil {
		return wire.Empty{}, err
	}
	if err := s.addShard(st, at, sh.End, sh.ID); err != nil {
		return wire.Empty{}, err
	}
	return wire.Empty{}, s.saveTopology()
}

type mergeIn struct {
	target
	ShardToMerge, AdjacentShardToMerge string
}

// merge closes two neighbours; one child takes their hash keys.
func (s *Service) merge(_ context.Context, in mergeIn) (wire.Empty, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.find(in.target)
	if err != nil {
		return wire.Empty{}, err
	}
	a, b := st.shard(in.ShardToMerge), st.shard(in.AdjacentShardToMerge)
	if a == nil || b == nil || !a.open() || !b.open() {
		return wire.Empty{}, st.gone(in.ShardToMerge + " or " + in.AdjacentShardToMerge)
	}
	if a.Start.Cmp(b.Start) > 0 {
		a, b = b, a
	}
	if new(big.Int).Add(a.End, big.NewInt(1)).Cmp(b.Start) != 0 {
		return wire.Empty{}, wire.Bad("InvalidArgumentException", "Shards %s and %s are not adjacent.", in.ShardToMerge, in.AdjacentShardToMerge)
	}
	st.close(a)
	st.close(b)
	if err := s.addShard(st, a.Start, b.End, in.ShardToMerge, in.AdjacentShardToMerge); err != nil {
		return wire.Empty{}, err
	}
	return wire.Empty{}, s.saveTopology()
}

// close ends a shard at the next sequence.
func (st *stream) close(sh *shard) {
	sh.ClosedSeq = st.next
	st.next++
}
