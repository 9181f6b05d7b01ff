package kinesis

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// model is what a stream must return: each key's records in order.
type model struct {
	t    *rapid.T
	s    *Service
	dir  string
	puts map[string][]string
	seq  map[string]string // the newest of each key
	n    int
}

func (m *model) put() {
	var in putManyIn
	in.StreamName = "stream"
	for range rapid.IntRange(1, 20).Draw(m.t, "records") {
		key := rapid.StringOfN(rapid.RuneFrom([]rune("abcdefgh")), 1, 1, 1).Draw(m.t, "key")
		m.n++
		text := fmt.Sprint(m.n)
		in.Records = append(in.Records, putEntry{Data: []byte(text), PartitionKey: key})
		m.puts[key] = append(m.puts[key], text)
	}

	raw, err := m.s.putRecords(m.t.Context(), in)
	require.NoError(m.t, err)
	var out struct {
		FailedRecordCount int
		Records           []struct{ SequenceNumber string }
	}
	require.NoError(m.t, json.Unmarshal(raw.JSON, &out))
	require.Zero(m.t, out.FailedRecordCount)

	for i, r := range out.Records {
		key := in.Records[i].PartitionKey
		require.Greater(m.t, r.SequenceNumber, m.seq[key], "a key's sequence numbers rise, through resharding and restarts")
		m.seq[key] = r.SequenceNumber
	}
}

func (m *model) split() {
	open := m.s.streams["stream"].info.openShards()
	sh := open[rapid.IntRange(0, len(open)-1).Draw(m.t, "shard")]
	span := new(big.Int).Sub(bigOf(sh.End), bigOf(sh.Start))
	at := new(big.Int).Div(new(big.Int).Mul(span, big.NewInt(rapid.Int64Range(1, 99).Draw(m.t, "at"))), big.NewInt(100))
	at.Add(at, bigOf(sh.Start))
	_, err := m.s.split(m.t.Context(), splitIn{target{StreamName: "stream"}, sh.ID, at.String()})
	require.NoError(m.t, err)
}

func (m *model) merge() {
	open := m.s.streams["stream"].info.openShards()
	if len(open) < 2 {
		return
	}
	i := rapid.IntRange(0, len(open)-2).Draw(m.t, "shard")
	pair := []string{open[i].ID, open[i+1].ID}
	if rapid.Bool().Draw(m.t, "other way round") {
		slices.Reverse(pair)
	}
	_, err := m.s.merge(m.t.Context(), mergeIn{target{StreamName: "stream"}, pair[0], pair[1]})
	require.NoError(m.t, err)
}

func (m *model) update() {
	now := len(m.s.streams["stream"].open)
	to := rapid.IntRange((now+1)/2, min(2*now, max(12, now))).Draw(m.t, "target")
	_, err := m.s.updateShardCount(m.t.Context(), shardCountIn{target{StreamName: "stream"}, to, "UNIFORM_SCALING"})
	if to == now {
		require.Error(m.t, err)
		return
	}
	require.NoError(m.t, err)

	open := m.s.streams["stream"].info.openShards()
	require.Len(m.t, open, to)

	for i, sh := range open {
		require.Equal(m.t, boundary(i, to), sh.Start, "the shards are even")
	}
}

func (m *model) reopen() {
	before := m.s.streams["stream"].info
	require.NoError(m.t, m.s.Close())
	var err error
	m.s, err = Open(Options{Dir: m.dir})
	require.NoError(m.t, err)

	require.Equal(m.t, before, m.s.streams["stream"].info)
}

// check reads the whole stream.
func (m *model) check() {
	got, read := map[string][]string{}, map[string]bool{}
	info := m.s.streams["stream"].info
	for range info.Shards {
		for _, sh := range info.Shards {
			ready := !slices.ContainsFunc(sh.Parents, func(p string) bool { return !read[p] })
			if read[sh.ID] || !ready {
				continue
			}
			read[sh.ID] = true
			last := sequenceText(sh.FirstSeq)

			for _, r := range m.drain(sh) {
				require.Greater(m.t, r.SequenceNumber, last)
				last = r.SequenceNumber
				got[r.PartitionKey] = append(got[r.PartitionKey], string(r.Data))
			}

			require.True(m.t, sh.open() || last <= sequenceText(sh.ClosedSeq))
		}
	}

	require.Len(m.t, read, len(info.Shards))
	require.Equal(m.t, m.puts, got, "parents first, each key's records are read once and in order")
}

type given struct {
	Data                         []byte
	PartitionKey, SequenceNumber string
}

// drain reads a shard in pages of any size.
func (m *model) drain(sh shardInfo) (all []given) {
	c := cursor{"stream", m.s.streams["stream"].info.Created, sh.ID, sh.FirstSeq, m.s.nowMS()}
	next, limit := c.text(), rapid.IntRange(1, 30).Draw(m.t, "limit")
	for {
		raw, err := m.s.getRecords(m.t.Context(), getIn{next, &limit})
		require.NoError(m.t, err)
		var out struct {
			Records            []given
			NextShardIterator  string
			MillisBehindLatest int
			ChildShards        []childShard
		}
		require.NoError(m.t, json.Unmarshal(raw.JSON, &out), string(raw.JSON))
		all = append(all, out.Records...)
		if out.NextShardIterator == "" {
			require.False(m.t, sh.open())
			require.NotEmpty(m.t, out.ChildShards)
			return all
		}
		if out.MillisBehindLatest == 0 {
			require.True(m.t, sh.open(), "a closed shard is read to its end at once")
			return all
		}
		next = out.NextShardIterator
	}
}

// Through puts, splits, merges, UpdateShardCount and restarts in any order,
// whoever reads parents before their children gets every record once, in the
// order of its key.
func TestReshardingKeepsOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir := freshDir(t)
		s, err := Open(Options{Dir: dir})
		require.NoError(t, err)
		m := &model{t: t, s: s, dir: dir, puts: map[string][]string{}, seq: map[string]string{}}
		t.Cleanup(func() { require.NoError(t, m.s.Close()) })
		require.NoError(t, s.Create("stream", rapid.IntRange(1, 4).Draw(t, "shards"), 24))
		t.Repeat(map[string]func(*rapid.T){
			"put":    func(*rapid.T) { m.put() },
			"split":  func(*rapid.T) { m.split() },
			"merge":  func(*rapid.T) { m.merge() },
			"update": func(*rapid.T) { m.update() },
			"reopen": func(*rapid.T) { m.reopen() },
			"read":   func(*rapid.T) { m.check() },
			"": func(t *rapid.T) {
				require.NoError(t, m.s.streams["stream"].info.check(), "the open shards share all hash keys")
			},
		})

		m.check()
	})
}
