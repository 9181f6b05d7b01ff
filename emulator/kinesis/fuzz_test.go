package kinesis

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/emulator/journal"
	"tandem/emulator/wire"
)

// An iterator of any text is refused or means what it says.
func FuzzCursor(f *testing.F) {
	f.Add(cursor{"stream", 1, "shardId-000000000000", 1 << 60, 2}.text())
	f.Add("eyJuIjoiZHJpdmVyLWxvY2F0aW9ucyJ9")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseCursor(text)
		if err != nil {
			return
		}
		again, err := parseCursor(c.text())
		require.NoError(t, err)

		require.Equal(t, c, again)
	})
}

func FuzzToken(f *testing.F) {
	at := wire.Seconds(time.UnixMilli(1_700_000_000_123))
	f.Add(token{"stream", 1, "shardId-000000000000", &shardFilter{Type: "AT_TIMESTAMP", Timestamp: &at}, 3}.text())
	f.Add(token{Stream: "stream"}.text())
	f.Add("e30=")
	f.Fuzz(func(t *testing.T, text string) {
		k, err := parseToken(text)
		if err != nil {
			return
		}
		again, err := parseToken(k.text())
		require.NoError(t, err)

		require.Equal(t, k.text(), again.text())
	})
}

// A stored record is refused or is what would be stored again, and its JSON is
// JSON.
func FuzzRecord(f *testing.F) {
	f.Add(record{1, 2, []byte("key"), []byte("data")}.append(nil))
	f.Add(record{1, 2, []byte("\"\u2028\n"), nil}.append(nil))
	f.Add([]byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decodeRecord(b)
		if err != nil {
			return
		}
		require.Equal(t, b, r.append([]byte{}))

		var out given
		r.arrived = max(0, r.arrived)
		require.NoError(t, json.Unmarshal(r.appendJSON(nil, "NONE"), &out))
		require.Equal(t, string(r.data), string(out.Data))
		require.Equal(t, sequenceText(r.seq), out.SequenceNumber)
	})
}

// An index is refused, or reading by it, from anywhere, does no harm.
func FuzzIndex(f *testing.F) {
	path := filepath.Join(f.TempDir(), "x.segment")
	file, err := journal.Open(path, false, func(int64, []byte) error { return nil })
	require.NoError(f, err)
	s := &segment{path: path}

	for i := range uint64(40) {
		r := record{i + 1, int64(i), []byte("key"), make([]byte, 10_000)}
		offset := file.Size()
		require.NoError(f, file.Append(r.append(nil)))
		s.add(r, offset, file.Size())
	}

	require.NoError(f, file.Close())
	index, err := json.Marshal(s)
	require.NoError(f, err)
	f.Add(index, uint64(20))
	f.Add([]byte(`{"marks":[{"s":1,"a":1,"o":17}],"last":{"s":1,"a":1,"o":17},"count":1,"size":401139}`), uint64(1))
	f.Add([]byte(`{}`), uint64(0))
	info, err := os.Stat(path)
	require.NoError(f, err)

	f.Fuzz(func(t *testing.T, b []byte, seq uint64) {
		s, err := parseIndex(b, info.Size())
		if err != nil {
			return
		}
		s.path = path
		again, err := json.Marshal(s)
		require.NoError(t, err)

		_, err = parseIndex(again, info.Size())
		require.NoError(t, err)
		at := s.before(func(m indexEntry) bool { return m.Seq <= seq })
		require.GreaterOrEqual(t, at.Offset, int64(0))

		p := span{path, at.Offset, s.Size, s.Last.Seq}
		require.LessOrEqual(t, p.end, info.Size())

		_, _ = p.read(&buffers{r: bufio.NewReader(nil)}, func(record) bool { return true }) // a wrong offset is an error
	})
}

// A topology is refused, or is one in which every key has its shard.
func FuzzTopology(f *testing.F) {
	s, err := Open(Options{Dir: f.TempDir()})
	require.NoError(f, err)
	f.Cleanup(func() { require.NoError(f, s.Close()) })
	require.NoError(f, s.Create("stream", 3, 24))
	require.NoError(f, s.Register("stream", "one"))
	_, err = s.merge(f.Context(), mergeIn{target{StreamName: "stream"}, *shardOf(0), *shardOf(1)})
	require.NoError(f, err)

	b, err := os.ReadFile(s.topologyPath())
	require.NoError(f, err)
	f.Add(b, "key")
	f.Add([]byte(`{"version":2,"streams":{"s":null}}`), "key")
	f.Add([]byte(`{"stream":{"name":"stream"}}`), "key")
	f.Fuzz(func(t *testing.T, b []byte, key string) {
		infos, err := parseTopology(b)
		if err != nil {
			require.ErrorIs(t, err, journal.ErrFormat)
			return
		}

		for _, n := range infos {
			st := &stream{}
			shards := map[string]*shard{}
			for _, sh := range n.Shards {
				shards[sh.ID] = &shard{id: sh.ID}
			}
			st.replaceTopology(n, shards)
			sh := n.shard(st.open[st.route(hashOf(key))].id)

			require.True(t, sh.open() && sh.Start.compare(hashOf(key)) <= 0 && sh.End.compare(hashOf(key)) >= 0)
		}
	})
}

func FuzzHashKey(f *testing.F) {
	f.Add("340282366920938463463374607431768211455")
	f.Add("340282366920938463463374607431768211456")
	f.Add("0")
	f.Add("007")
	f.Add("+1")
	f.Fuzz(func(t *testing.T, text string) {
		h, ok := parseHash(text)
		if !ok {
			return
		}
		require.Equal(t, text, h.String())
		require.Equal(t, h, h.next().previous())

		if h != lastHash() {
			require.Negative(t, h.compare(h.next()))
		}
	})
}

func FuzzSequence(f *testing.F) {
	f.Add(sequenceText(0))
	f.Add(sequenceText(1<<64 - 1))
	f.Add("496618446744073709551616")
	f.Fuzz(func(t *testing.T, text string) {
		if seq, ok := parseSequence(text); ok {
			require.Equal(t, text, sequenceText(seq))
		}
	})
}

// Any body to any operation is answered, and never with the emulator's own
// failure; the open shards share all hash keys whatever comes.
func FuzzOperation(f *testing.F) {
	arn := streamARN("stream")
	for op, body := range map[string]string{
		"SplitShard":                    `{"StreamName":"stream","ShardToSplit":"shardId-000000000000","NewStartingHashKey":"9"}`,
		"MergeShards":                   `{"StreamName":"stream","ShardToMerge":"shardId-000000000000","AdjacentShardToMerge":"shardId-000000000001"}`,
		"UpdateShardCount":              `{"StreamName":"stream","TargetShardCount":3,"ScalingType":"UNIFORM_SCALING"}`,
		"ListShards":                    `{"StreamName":"stream","MaxResults":1,"ShardFilter":{"Type":"AT_TIMESTAMP","Timestamp":1.5}}`,
		"ListStreams":                   `{"Limit":1,"ExclusiveStartStreamName":"a"}`,
		"DescribeStream":                `{"StreamARN":"` + arn + `","Limit":1}`,
		"DeleteStream":                  `{"StreamName":"stream","EnforceConsumerDeletion":true}`,
		"RegisterStreamConsumer":        `{"StreamARN":"` + arn + `","ConsumerName":"c"}`,
		"ListStreamConsumers":           `{"StreamARN":"` + arn + `","MaxResults":1}`,
		"DeregisterStreamConsumer":      `{"StreamARN":"` + arn + `","ConsumerName":"c"}`,
		"SubscribeToShard":              `{"ConsumerARN":"` + arn + `/consumer/ready:1699999999","ShardId":"shardId-000000000000","StartingPosition":{"Type":"LATEST"}}`,
		"IncreaseStreamRetentionPeriod": `{"StreamName":"stream","RetentionPeriodHours":48}`,
		"PutRecords":                    `{"StreamName":"stream","Records":[{"Data":"eA==","PartitionKey":"k","ExplicitHashKey":"0"}]}`,
		"GetShardIterator":              `{"StreamName":"stream","ShardId":"shardId-000000000000","ShardIteratorType":"AT_TIMESTAMP","Timestamp":1.5}`,
		"GetRecords":                    `{"ShardIterator":"` + cursor{"stream", 1_700_000_000_000, *shardOf(0), 0, 1_700_000_000_000}.text() + `","Limit":1}`,
	} {
		f.Add(op, body)
	}

	s, err := Open(Options{Dir: f.TempDir(), Now: newManual().now})
	require.NoError(f, err)
	f.Cleanup(func() { require.NoError(f, s.Close()) })
	h := handler(s)
	f.Fuzz(func(t *testing.T, op, body string) {
		if op == "CreateStream" {
			return // thousands of streams would fill the disk
		}
		if !s.Has("stream") {
			require.NoError(t, s.Create("stream", 2, 24))
			require.NoError(t, s.Register("stream", "ready"))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond) // a subscription lasts, rightly
		defer cancel()
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("X-Amz-Target", "Kinesis_20131202."+op)
		rec := httptest.NewRecorder()
		h(rec, r)
		require.NotEqual(t, http.StatusInternalServerError, rec.Code, rec.Body.String())

		if st := s.streams["stream"]; st != nil {
			require.NoError(t, st.info.check())
			if len(st.info.Shards) > 300 { // closed ones stay as long as the clock stands still
				_, err := s.deleteStream(t.Context(), deleteIn{target{StreamName: "stream"}, true})
				require.NoError(t, err)
			}
		}
	})
}
