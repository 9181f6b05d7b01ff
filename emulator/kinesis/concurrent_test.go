package kinesis

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// follower reads shards to their end, each after its parents, as a reader of
// many shards does.
type follower struct {
	t    testing.TB
	s    *Service
	made int64 // when the stream was
	mu   sync.Mutex
	wg   sync.WaitGroup
	ends map[string]int // how many parents of a shard were drained
	got  map[string][]string
	stop func() bool
}

func (f *follower) start(shard string) {
	f.wg.Go(func() {
		next := cursor{"stream", f.made, shard, 0, f.s.nowMS()}.text()
		for {
			final := f.stop() // asked first: what was put before is read
			raw, err := f.s.getRecords(f.t.Context(), getIn{ShardIterator: next})
			if err != nil {
				f.t.Error(err)
				return
			}
			var page struct {
				Records           []given
				NextShardIterator string
				ChildShards       []childShard
			}
			err = json.Unmarshal(raw.JSON, &page)
			raw.Release()
			if err != nil {
				f.t.Error(err)
				return
			}
			f.take(page.Records)
			if page.NextShardIterator == "" {
				f.open(page.ChildShards)
				return
			}
			if next = page.NextShardIterator; final && len(page.Records) == 0 {
				return
			}
		}
	})
}

func (f *follower) take(records []given) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range records {
		f.got[r.PartitionKey] = append(f.got[r.PartitionKey], string(r.Data))
	}
}

// open starts the children all of whose parents are drained.
func (f *follower) open(children []childShard) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range children {
		if f.ends[c.ShardID]++; f.ends[c.ShardID] == len(c.ParentShards) {
			f.start(c.ShardID)
		}
	}
}

// Puts, resharding, reading, looking and settings at the same time: every
// record is read once, in the order of its key.
func TestEverythingAtOnce(t *testing.T) {
	const putters, each, changes = 4, 60, 25
	s := open(t, Options{Dir: t.TempDir()})
	require.NoError(t, s.Create("stream", 2, 24))
	made := s.streams["stream"].info.Created
	var puts, others sync.WaitGroup
	done := make(chan struct{})

	for p := range putters {
		puts.Go(func() {
			for i := range each {
				in := putManyIn{target: target{StreamName: "stream"}}
				for k := range 5 {
					in.Records = append(in.Records, putEntry{Data: []byte(strconv.Itoa(i)), PartitionKey: fmt.Sprint(p, "-", k)})
				}
				raw, err := s.putRecords(t.Context(), in)
				if err != nil {
					t.Error(err)
					return
				}
				raw.Release()
			}
		})
	}

	puts.Go(func() {
		for i := range changes {
			if _, err := s.updateShardCount(t.Context(), shardCountIn{target{StreamName: "stream"}, 3 + i%2, "UNIFORM_SCALING"}); err != nil {
				t.Error(err)
			}
		}
	})

	others.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				s.Look()
				if err := s.SetEncryption("stream", "key"); err != nil {
					t.Error(err)
				}
			}
		}
	})

	f := &follower{t: t, s: s, made: made, ends: map[string]int{}, got: map[string][]string{}, stop: func() bool {
		select {
		case <-done:
			return true
		default:
			return false
		}
	}}

	f.start(*shardOf(0))
	f.start(*shardOf(1))
	puts.Wait()
	close(done)
	others.Wait()
	f.wg.Wait()
	require.Len(t, f.got, putters*5)

	for key, texts := range f.got {
		require.Len(t, texts, each, key)
		require.True(t, slices.IsSortedFunc(texts, func(a, b string) int {
			x, _ := strconv.Atoi(a)
			y, _ := strconv.Atoi(b)
			return x - y
		}), key)
	}
}
