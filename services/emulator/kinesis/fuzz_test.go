package kinesis

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/emulator/journal"
	"tandem/services/emulator/wire"
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
		s.note(r, offset, file.Size())
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
		p := s.before(func(m mark) bool { return m.Seq <= seq })
		require.GreaterOrEqual(t, p.offset, int64(0))
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
			st.take(n, shards)
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
