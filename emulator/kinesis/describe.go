package kinesis

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"tandem/emulator/wire"
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

	names, summaries, out := []string{}, []map[string]any{}, map[string]any{}
	page, more := pageOf(s.all(), limit, func(st *stream) bool { return st.topology().Name > after })
	for _, st := range page {
		after = st.topology().Name
		names, summaries = append(names, after), append(summaries, st.topology().commonFields())
	}

	if more {
		out["NextToken"] = token{Stream: after, After: after, Issued: s.nowMS()}.text()
	}
	out["StreamNames"], out["HasMoreStreams"], out["StreamSummaries"] = names, more, summaries
	return out, nil
}

// commonFields returns what every description of a stream says.
func (n *streamInfo) commonFields() map[string]any {
	return map[string]any{
		"StreamName": n.Name, "StreamARN": streamARN(n.Name), "StreamStatus": "ACTIVE",
		"StreamModeDetails":       map[string]string{"StreamMode": "PROVISIONED"},
		"StreamCreationTimestamp": wire.Seconds(time.UnixMilli(n.Created)),
	}
}

func (n *streamInfo) describe() map[string]any {
	d := n.commonFields()
	d["RetentionPeriodHours"], d["EncryptionType"] = n.Retention, n.encryption()
	if n.KeyID != "" {
		d["KeyId"] = n.KeyID
	}
	d["EnhancedMonitoring"] = []any{map[string]any{"ShardLevelMetrics": []string{}}}
	return d
}

func (s *Service) summary(_ context.Context, in target) (map[string]any, error) {
	n, err := s.info(in)
	if err != nil {
		return nil, err
	}
	d := n.describe()
	d["OpenShardCount"], d["ConsumerCount"], d["MaxRecordSizeInKiB"] = len(n.openShards()), len(n.Consumers), n.MaxRecordKiB
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

	n, err := s.info(in.target)
	if err != nil {
		return nil, err
	}

	d := n.describe()
	d["Shards"], d["HasMoreShards"] = n.list(s.nowMS(), in.ExclusiveStartShardID, limit, nil)
	return map[string]any{"StreamDescription": d}, nil
}

// tokenLife is how long a NextToken can be used.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_ListShards.html
const tokenLife = 300 * time.Second

// pageLimit returns how many entries a page has: at most most, whatever is asked.
func pageLimit(name string, asked *int, otherwise, most int) (int, error) {
	if asked == nil {
		return otherwise, nil
	}
	if *asked < 1 || *asked > 10_000 {
		return 0, invalid(name, "have value between 1 and 10000")
	}
	return min(*asked, most), nil
}

// pageOf returns the first of those that are wanted, and reports whether there
// are more.
func pageOf[T any](all []T, limit int, wanted func(T) bool) (page []T, more bool) {
	for _, v := range all {
		if wanted(v) {
			if len(page) == limit {
				return page, true
			}
			page = append(page, v)
		}
	}
	return page, false
}

// token is what a NextToken holds: where the next page begins, and of what.
type token struct {
	Stream  string       `json:"n"`
	Created int64        `json:"c"`
	After   string       `json:"a"` // the last entry of the page before
	Filter  *shardFilter `json:"f,omitempty"`
	Issued  int64        `json:"i"`
}

func (t token) text() string { return encodeToken(t) }

func parseToken(text string) (t token, err error) {
	if !decodeToken(text, &t) || t.Stream == "" {
		return token{}, wire.Bad("InvalidArgumentException", "The NextToken is invalid.")
	}
	return t, nil
}

// openToken reads a token that has not expired.
func (s *Service) openToken(text string) (token, error) {
	t, err := parseToken(text)
	if err == nil && s.nowMS()-t.Issued > tokenLife.Milliseconds() {
		err = wire.Bad("ExpiredNextTokenException", "The NextToken is older than %s.", tokenLife)
	}
	return t, err
}

// encodeToken encodes what a client sends back as it got it: a token, an
// iterator.
func encodeToken(v any) string {
	b, _ := json.Marshal(v) // text and numbers
	return base64.StdEncoding.EncodeToString(b)
}

func decodeToken(text string, v any) bool {
	b, err := base64.StdEncoding.DecodeString(text)
	return err == nil && json.Unmarshal(b, v) == nil
}

// checkCreated returns an error unless the stream is the one that was created at
// this time; 0 is any.
func (n *streamInfo) checkCreated(createdMS int64) error {
	if createdMS != 0 && createdMS/1000 != n.Created/1000 {
		return noStream(fmt.Sprintf("%s created at %s", n.Name, time.UnixMilli(createdMS).UTC().Format(time.RFC3339)))
	}
	return nil
}

func msOf(at *wire.Seconds) int64 {
	if at == nil {
		return 0
	}
	return time.Time(*at).UnixMilli()
}
