package sdk

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5" //nolint:gosec // Kinesis maps partition keys to shards by MD5
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/awsclient"
	"tandem/services/internal/stream/kinesisproducer"
	"tandem/services/internal/stream/kpl"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/test/testenv"
)

// userRecord is one as aggregation.py tells it; put needs the key, the hash key and the
// data alone.
type userRecord struct {
	Shard      string `json:"shard,omitempty"`
	Sequence   string `json:"sequence,omitempty"`
	Sub        int    `json:"sub,omitempty"`
	Key        string `json:"key"`
	HashKey    string `json:"hashKey"` // empty: none
	Data       []byte `json:"data"`
	Aggregated bool   `json:"aggregated,omitempty"`
}

// hash is the number by which Kinesis would place the user record, alone.
func (u userRecord) hash() *big.Int {
	if u.HashKey != "" {
		n, _ := new(big.Int).SetString(u.HashKey, 10)
		return n
	}
	return keyHash(u.Key)
}

func keyHash(key string) *big.Int {
	sum := md5.Sum([]byte(key)) //nolint:gosec // see above
	return new(big.Int).SetBytes(sum[:])
}

// middle returns the middle of a key's bucket, of eight.
func middle(key string) string {
	n := new(big.Int).Rsh(keyHash(key), 125)
	return n.Lsh(n, 1).Add(n, big.NewInt(1)).Lsh(n, 124).String()
}

// aggregation is a stream of an emulator, and aggregation.py beside it.
type aggregation struct {
	client *kinesis.Client
	stream string
	in     *json.Encoder
	out    *json.Decoder
}

// ask has aggregation.py carry out a command.
func (a *aggregation) ask(t *testing.T, command map[string]any, answer any) {
	t.Helper()
	command["stream"] = a.stream
	require.NoError(t, a.in.Encode(command))
	require.NoError(t, a.out.Decode(answer))
}

func startAggregation(t *testing.T) *aggregation {
	t.Helper()
	dir, env, python := installPython(t)
	at := testenv.Emulator(t)
	cfg, err := awsclient.New(t.Context(), at)
	require.NoError(t, err)

	ctx, cancel := context.WithTimeout(context.Background(), checkWithin)
	cmd := script(ctx, t, at.Endpoint, dir, env, python, "aggregation.py")
	var said bytes.Buffer
	cmd.Stderr = &said
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())

	t.Cleanup(func() {
		_ = in.Close()
		_, _ = io.Copy(io.Discard, out)
		err := cmd.Wait()
		cancel()
		// The module prints that it cannot unpack a record, and goes on without it.
		require.NoError(t, err, "%s", &said)
		require.Empty(t, said.String())
	})

	a := &aggregation{client: kinesis.NewFromConfig(cfg), stream: "aggregation", in: json.NewEncoder(in), out: json.NewDecoder(out)}
	_, err = a.client.CreateStream(t.Context(), &kinesis.CreateStreamInput{StreamName: &a.stream, ShardCount: aws.Int32(1)})
	require.NoError(t, err)
	a.active(t)
	return a
}

func (a *aggregation) active(t *testing.T) {
	t.Helper()
	require.NoError(t, kinesis.NewStreamExistsWaiter(a.client).Wait(t.Context(), &kinesis.DescribeStreamInput{StreamName: &a.stream}, time.Minute))
}

// split cuts the stream's one shard in its middle.
func (a *aggregation) split(t *testing.T) {
	t.Helper()
	_, err := a.client.SplitShard(t.Context(), &kinesis.SplitShardInput{
		StreamName: &a.stream, ShardToSplit: aws.String("shardId-000000000000"), NewStartingHashKey: aws.String("170141183460469231731687303715884105728"),
	})
	require.NoError(t, err)
	a.active(t)
}

// holds returns, by shard, whether a hash lies in its range.
func (a *aggregation) holds(t *testing.T) map[string]func(*big.Int) bool {
	t.Helper()
	out, err := a.client.ListShards(t.Context(), &kinesis.ListShardsInput{StreamName: &a.stream})
	require.NoError(t, err)
	holds := map[string]func(*big.Int) bool{}
	for _, s := range out.Shards {
		first, _ := new(big.Int).SetString(*s.HashKeyRange.StartingHashKey, 10)
		last, _ := new(big.Int).SetString(*s.HashKeyRange.EndingHashKey, 10)
		holds[*s.ShardId] = func(n *big.Int) bool { return first.Cmp(n) <= 0 && n.Cmp(last) <= 0 }
	}
	require.Len(t, holds, 3, "a parent and its children")
	return holds
}

// read returns what shardreader hands over, by shard, once it has caught up with all that
// was put, and what it has left out, where left is not nil.
func (a *aggregation) read(t *testing.T, left map[string]int) map[string][]userRecord {
	t.Helper()
	var mu sync.Mutex // the children are read beside each other
	got := map[string][]userRecord{}
	o := shardreader.Options{Client: a.client, Stream: a.stream, PollEvery: 250 * time.Millisecond, Empty: true}
	if left != nil {
		o.Outside = func(shard string, n int) {
			mu.Lock()
			defer mu.Unlock()
			left[shard] += n
		}
	}

	r, err := shardreader.New(o)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, r.All(ctx, shardreader.Horizon(), func(_ context.Context, b shardreader.Batch) error {
		mu.Lock()
		defer mu.Unlock()
		for _, rec := range b.Records {
			got[rec.Shard] = append(got[rec.Shard], userRecord{Shard: rec.Shard, Sequence: rec.Sequence, Sub: rec.Sub, Key: rec.Key, Data: rec.Data})
		}

		if r.CaughtUp() {
			cancel()
		}
		return nil
	}))
	require.ErrorIs(t, ctx.Err(), context.Canceled, "the reader has not caught up")
	return got
}

// told returns a line for each user record, of what every reader hands over.
func told(users []userRecord) []string {
	var lines []string
	for _, u := range users {
		lines = append(lines, fmt.Sprintf("%s %s.%d %s: %s", u.Shard, u.Sequence, u.Sub, u.Key, digest(u.Data)))
	}
	return lines
}

// digest stands for data in what a failure prints.
func digest(data []byte) string { return fmt.Sprintf("%d bytes, %x", len(data), sha256.Sum256(data)) }

// What kinesisproducer puts, boto3 and AWS's module read, before a split and after it: each
// user record is what was put, in the order of its key, and in the shard whose range holds
// it, so that a KCL drops none.
func TestAWSsModuleReadsWhatTandemWrites(t *testing.T) {
	a := startAggregation(t)
	p, err := kinesisproducer.New(kinesisproducer.Options{
		Client: a.client, Stream: a.stream, Buckets: 3, Linger: 20 * time.Millisecond, AggregateMax: 1000 << 10,
		Trace: func(context.Context) string { return "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" },
	})
	require.NoError(t, err)
	run, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(run, 10*time.Second) }()

	want := map[string][]string{}
	round := func(round string) {
		var all sync.WaitGroup
		for i := range 40 {
			// The sizes have lengths of one to three bytes.
			key, data := fmt.Sprintf("conductora-ñ-%d", i), [][]byte{[]byte(round), {}}
			for j := range 8 {
				data = append(data, bytes.Repeat([]byte{0, 0xff, byte(i), byte(j)}, j*j*j*(1+i%3)))
			}
			if i == 7 {
				data = append(data, bytes.Repeat([]byte(round), 600_000/len(round)))
			}
			for _, d := range data {
				want[key] = append(want[key], digest(d))
			}

			all.Go(func() {
				if _, err := p.Put(t.Context(), key, data...); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()

		// What is no aggregate stays as it is, also where its MD5 alone shows it.
		agg := kpl.NewAggregate("0", 1000)
		require.True(t, agg.Add("key", []byte(round)))
		almost, err := agg.Encode()
		require.NoError(t, err)
		almost[len(almost)-1]++
		for _, plain := range [][]byte{[]byte("plain " + round), almost} {
			want["plain"] = append(want["plain"], digest(plain))
			_, err := a.client.PutRecord(t.Context(), &kinesis.PutRecordInput{StreamName: &a.stream, PartitionKey: aws.String("plain"), Data: plain})
			require.NoError(t, err)
		}
	}
	round("before the split")
	a.split(t)
	round("after the split")
	stop()
	require.NoError(t, <-ended)

	var users []userRecord
	a.ask(t, map[string]any{"do": "read"}, &users)
	holds, byShard, got, last := a.holds(t), map[string][]userRecord{}, map[string][]string{}, userRecord{}
	for _, u := range users {
		require.Equal(t, u.Key != "plain", u.Aggregated, u.Key)
		if u.Aggregated {
			require.Equal(t, middle(u.Key), u.HashKey, u.Key)
		}
		require.True(t, holds[u.Shard](u.hash()), "%s is outside of %s", u.Key, u.Shard)

		sub := 0
		if u.Sequence == last.Sequence {
			sub = last.Sub + 1
		}
		require.Equal(t, sub, u.Sub, u.Key)
		byShard[u.Shard] = append(byShard[u.Shard], u)
		got[u.Key] = append(got[u.Key], digest(u.Data))
		last = u
	}
	require.Equal(t, want, got)

	// Tandem's own reader sees the same, and nothing of it lies outside.
	left := map[string]int{}
	own := a.read(t, left)
	require.Empty(t, left)
	require.Len(t, own, 3, "each shard has some")
	for shard, users := range byShard {
		require.Equal(t, told(users), told(own[shard]), shard)
	}
}

// What AWS's module packs and boto3 puts, shardreader hands over, each user record as it
// was, in order. The module puts any keys into one aggregate: after a split some lie
// outside of their shard, and are left out, and counted, only where that is asked for.
func TestTandemReadsWhatAWSsModuleWrites(t *testing.T) {
	a := startAggregation(t)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}

	want, within, outside := map[string][]userRecord{}, map[string][]userRecord{}, map[string]int{}
	var holds map[string]func(*big.Int) bool
	put := func(call string) (aggregates []userRecord) {
		var records []userRecord
		for i := range 120 {
			u := userRecord{Key: fmt.Sprintf("conductora-ñ-%d", i%50), Data: all[:i*2]}
			if i%3 == 0 {
				u.HashKey = new(big.Int).Lsh(big.NewInt(int64(i)), 121).String() // 120 of 128 parts of the range
			}
			records = append(records, u)
		}

		var placed []struct {
			Shard    string `json:"shard"`
			Sequence string `json:"sequence"`
			N        int    `json:"n"`
		}
		a.ask(t, map[string]any{"do": "put", "call": call, "records": records}, &placed)
		require.Greater(t, len(placed), 3, "aggregates")
		for _, p := range placed {
			for sub := range p.N {
				u := records[0]
				u.Shard, u.Sequence, u.Sub, records = p.Shard, p.Sequence, sub, records[1:]
				aggregates = append(aggregates, u)
			}
		}
		require.Empty(t, records)
		return aggregates
	}

	users := slices.Concat(put("PutRecord"), put("PutRecords"))
	a.split(t)
	users = slices.Concat(users, put("PutRecord"), put("PutRecords"))
	holds = a.holds(t)

	// PutRecords promises no order between its records: the stream's own counts.
	slices.SortStableFunc(users, func(x, y userRecord) int {
		return cmp.Or(cmp.Compare(len(x.Sequence), len(y.Sequence)), strings.Compare(x.Sequence, y.Sequence))
	})
	for _, u := range users {
		want[u.Shard] = append(want[u.Shard], u)
		if holds[u.Shard](u.hash()) {
			within[u.Shard] = append(within[u.Shard], u)
		} else {
			outside[u.Shard]++
		}
	}
	require.Len(t, want, 3, "each shard has some")
	require.Len(t, outside, 2, "each child has some that are the other's")

	got := a.read(t, nil)
	for shard, users := range want {
		require.Equal(t, told(users), told(got[shard]), shard)
	}

	left := map[string]int{}
	got = a.read(t, left)
	require.Equal(t, outside, left)
	for shard, users := range within {
		require.Equal(t, told(users), told(got[shard]), shard)
	}
}
