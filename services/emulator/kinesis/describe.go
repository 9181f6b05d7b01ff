package kinesis

import (
	"context"
	"time"

	"tandem/services/emulator/wire"
)

type listStreamsIn struct {
	ExclusiveStartStreamName, NextToken string
	Limit                               *int
}

func (s *Service) listStreams(_ context.Context, in listStreamsIn) (map[string]any, error) {
	limit, err := pageLimit("limit", in.Limit, 100, 10_000)
	if err != nil {
		return nil, err
	}
	after := in.ExclusiveStartStreamName
	if in.NextToken != "" {
		t, err := s.openToken(in.NextToken)
		if err != nil {
			return nil, err
		}
		after = t.After
	}
	names, summaries, more := []string{}, []map[string]any{}, false
	for _, st := range s.all() {
		st.mu.RLock()
		n := st.info
		st.mu.RUnlock()
		if n.Name <= after {
			continue
		}
		if more = len(names) == limit; more {
			break
		}
		names = append(names, n.Name)
		summaries = append(summaries, n.brief())
	}
	out := map[string]any{"StreamNames": names, "HasMoreStreams": more, "StreamSummaries": summaries}
	if more {
		last := names[len(names)-1]
		out["NextToken"] = token{Stream: last, After: last, Issued: s.nowMS()}.text()
	}
	return out, nil
}

// brief is what every description of a stream says.
func (n *streamInfo) brief() map[string]any {
	return map[string]any{
		"StreamName": n.Name, "StreamARN": streamARN(n.Name), "StreamStatus": "ACTIVE",
		"StreamModeDetails":       map[string]string{"StreamMode": "PROVISIONED"},
		"StreamCreationTimestamp": wire.Seconds(time.UnixMilli(n.Created)),
	}
}

func (n *streamInfo) describe() map[string]any {
	d := n.brief()
	d["RetentionPeriodHours"], d["EncryptionType"] = n.Retention, n.encryption()
	if n.KeyID != "" {
		d["KeyId"] = n.KeyID
	}
	d["EnhancedMonitoring"] = []any{map[string]any{"ShardLevelMetrics": []string{}}}
	return d
}

func (s *Service) summary(_ context.Context, in target) (map[string]any, error) {
	st, done, err := s.use(in)
	if err != nil {
		return nil, err
	}
	defer done()
	d := st.info.describe()
	d["OpenShardCount"], d["ConsumerCount"], d["MaxRecordSizeInKiB"] = len(st.open), len(st.info.Consumers), st.info.MaxRecordKiB
	return map[string]any{"StreamDescriptionSummary": d}, nil
}

type describeIn struct {
	target
	Limit                 *int
	ExclusiveStartShardID string `json:"ExclusiveStartShardId"`
}

func (s *Service) describe(_ context.Context, in describeIn) (map[string]any, error) {
	limit, err := pageLimit("limit", in.Limit, 100, 100)
	if err != nil {
		return nil, err
	}
	st, done, err := s.use(in.target)
	if err != nil {
		return nil, err
	}
	defer done()
	d := st.info.describe()
	d["Shards"], d["HasMoreShards"] = st.info.list(s.nowMS(), in.ExclusiveStartShardID, limit, nil)
	return map[string]any{"StreamDescription": d}, nil
}

// limits are of the account: one stream's are the only ones that are enforced.
func (s *Service) limits(context.Context, struct{}) (map[string]any, error) {
	open := 0
	for _, st := range s.all() {
		st.mu.RLock()
		open += len(st.open)
		st.mu.RUnlock()
	}
	return map[string]any{"ShardLimit": maxShards, "OpenShardCount": open, "OnDemandStreamCount": 0, "OnDemandStreamCountLimit": 0}, nil
}
