package kpl_test

import (
	"bytes"
	"crypto/md5" //nolint:gosec // the format's check sum
	"fmt"
	"math/big"
	"runtime"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/awslabs/kinesis-aggregation/go/v2/deaggregator"
	"github.com/awslabs/kinesis-aggregation/go/v2/records"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
	"pgregory.net/rapid"

	"tandem/services/internal/stream/kpl"
)

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

const magic = "\xf3\x89\x9a\xc2"

func TestRoundtrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hashKey := kpl.Buckets(6).HashKey(rapid.IntRange(0, 63).Draw(t, "bucket"))
		agg := kpl.NewAggregate(hashKey, 1<<20)
		want := []kpl.UserRecord{}
		for range rapid.IntRange(0, 300).Draw(t, "records") {
			u := kpl.UserRecord{
				Key: rapid.StringN(1, 8, -1).Draw(t, "key"), HashKey: hashKey, Sub: len(want),
				Data: rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "data"),
			}
			if rapid.Bool().Draw(t, "traced") {
				u.Trace = []byte(traceparent)
			}
			require.True(t, agg.AddTraced(u.Key, u.Data, string(u.Trace)))
			want = append(want, u)
		}

		data, err := agg.Encode()
		require.NoError(t, err)
		got, err := kpl.Deaggregate(data, "outer")

		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

// AWS's own module reads what we write.
func TestReadByAWS(t *testing.T) {
	agg := kpl.NewAggregate(kpl.Buckets(6).HashKey(9), 1<<20)
	for i := range 1000 {
		trace := ""
		if i%7 == 0 {
			trace = traceparent // which it skips
		}
		require.True(t, agg.AddTraced(fmt.Sprint("driver-", i%300), fmt.Append(nil, "point ", i), trace))
	}
	data, err := agg.Encode()
	require.NoError(t, err)

	got, err := deaggregator.DeaggregateRecords([]types.Record{{Data: data}})
	require.NoError(t, err)
	require.Len(t, got, 1000)
	for i, r := range got {
		require.Equal(t, fmt.Sprint("driver-", i%300), *r.PartitionKey)
		require.Equal(t, fmt.Sprint("point ", i), string(r.Data))
	}
}

// The limit is exact: what was encoded in n bytes fits into n, and not into n-1.
func TestAggregateLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfN(rapid.StringN(0, 200, -1), 1, 200).Draw(t, "keys")
		data := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "data")
		trace := rapid.SampledFrom([]string{"", traceparent}).Draw(t, "trace")
		pack := func(limit int) (fitted int, encoded []byte) {
			agg := kpl.NewAggregate("42", limit)
			for _, k := range keys {
				if !agg.AddTraced(k, data, trace) {
					break
				}
			}
			encoded, err := agg.Encode()
			require.NoError(t, err)
			return agg.Len(), encoded
		}

		fitted, whole := pack(1 << 20)
		require.Equal(t, len(keys), fitted)

		fitted, again := pack(len(whole))
		require.Equal(t, len(keys), fitted)
		require.Equal(t, whole, again)

		fitted, less := pack(len(whole) - 1)
		require.Equal(t, len(keys)-1, fitted)
		require.Less(t, len(less), len(whole))
	})
}

func TestNotAggregated(t *testing.T) {
	good := sealed(t, &records.AggregatedRecord{})
	badSum := append(bytes.Clone(good[:len(good)-1]), good[len(good)-1]^1)

	for name, data := range map[string][]byte{
		"empty": nil, "json": []byte(`{"v":1}`), "magic alone": []byte(magic),
		"magic and short": []byte(magic + "123456789012345"), "bad MD5": badSum,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := kpl.Deaggregate(data, "outer")
			require.NoError(t, err)
			require.Equal(t, []kpl.UserRecord{{Key: "outer", Data: data}}, got)
		})
	}
}

func TestCorrupt(t *testing.T) {
	one, nine := new(uint64), new(uint64)
	*one, *nine = 1, 9
	for name, data := range map[string][]byte{
		"oversized":        make([]byte, kpl.MaxRecord+1),
		"not protobuf":     sum([]byte("\x1a\xff\xff")),
		"no partition key": sum([]byte("\x1a\x02\x1a\x00")),
		"bad key index": sealed(t, &records.AggregatedRecord{
			PartitionKeyTable: []string{"a"}, Records: []*records.Record{{PartitionKeyIndex: one, Data: []byte{1}}},
		}),
		"bad hash key index": sealed(t, &records.AggregatedRecord{
			PartitionKeyTable: []string{"a", "b"}, ExplicitHashKeyTable: []string{"1"},
			Records: []*records.Record{{PartitionKeyIndex: one, ExplicitHashKeyIndex: nine, Data: []byte{1}}},
		}),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := kpl.Deaggregate(data, "outer")
			require.ErrorIs(t, err, kpl.ErrCorrupt)
			require.Nil(t, got)
		})
	}
}

// Other producers may leave the explicit hash key out.
func TestWithoutHashKey(t *testing.T) {
	got, err := kpl.Deaggregate(sealed(t, &records.AggregatedRecord{
		PartitionKeyTable: []string{"a"}, Records: []*records.Record{{PartitionKeyIndex: new(uint64), Data: []byte("x")}},
	}), "outer")
	require.NoError(t, err)
	require.Equal(t, []kpl.UserRecord{{Key: "a", Data: []byte("x")}}, got)
}

func TestBuckets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := kpl.Buckets(rapid.UintRange(0, uint(kpl.MaxBuckets)).Draw(t, "bits"))
		key := rapid.String().Draw(t, "key")
		sum := md5.Sum([]byte(key)) //nolint:gosec // as Kinesis does
		width := new(big.Int).Lsh(big.NewInt(1), 128-uint(b))
		want := new(big.Int).Div(new(big.Int).SetBytes(sum[:]), width)
		bucket := b.Of(key)
		assert.Equal(t, want.Int64(), int64(bucket))
		assert.Less(t, bucket, b.Count())

		middle, ok := new(big.Int).SetString(b.HashKey(bucket), 10)
		require.True(t, ok)
		assert.Equal(t, want, new(big.Int).Div(middle, width), "the hash key lies in the key's bucket")
		half := new(big.Int).Mod(middle, width)
		assert.Equal(t, width, half.Lsh(half, 1), "and in its middle")
	})
}

func FuzzDeaggregate(f *testing.F) {
	agg := kpl.NewAggregate("42", 1<<20)
	agg.Add("a", []byte("1"))
	agg.Add("b", []byte("2"))
	good, err := agg.Encode()
	require.NoError(f, err)

	f.Add(good, false)
	f.Add(good[4:len(good)-16], true)
	f.Add([]byte(strings.Repeat("\x1a\x00", 9)), true)

	f.Fuzz(func(t *testing.T, data []byte, seal bool) {
		if seal { // reach behind the MD5
			data = sum(data)
		}

		got, err := kpl.Deaggregate(data, "outer")
		if err != nil {
			require.ErrorIs(t, err, kpl.ErrCorrupt)
			return
		}
		for i, u := range got {
			require.Equal(t, i, u.Sub)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	point := bytes.Repeat([]byte("x"), 121)
	for b.Loop() {
		agg := kpl.NewAggregate("42", 50<<10)
		for agg.Add("driver", point) {
		}
		if _, err := agg.Encode(); err != nil {
			b.Fatal(err)
		}
	}
}

func sealed(t *testing.T, agg *records.AggregatedRecord) []byte {
	t.Helper()
	body, err := proto.Marshal(protoadapt.MessageV2Of(agg))
	require.NoError(t, err)
	return sum(body)
}

func sum(body []byte) []byte {
	s := md5.Sum(body) //nolint:gosec // the format's check sum
	return append(append([]byte(magic), body...), s[:]...)
}

// The most user records with data that fit into what the KPL writes, 1 MiB.
func TestAFullAggregateOfTheKPLIsRead(t *testing.T) {
	const entry = "\x1a\x05\x08\x00\x1a\x01x"
	n := (1<<20 - 100) / len(entry)
	users, err := kpl.Deaggregate(sum([]byte("\x0a\x01k"+strings.Repeat(entry, n))), "outer")
	require.NoError(t, err)
	require.Len(t, users, n)
}

// Bytes that cost their writer little may not cost their reader much.
func TestDeaggregateAllocatesAMultipleOfTheRecord(t *testing.T) {
	for name, entry := range map[string]string{
		"user records": "\x1a\x04\x08\x00\x1a\x00", "keys": "\x0a\x00", "hash keys": "\x12\x00", "unknown fields": "\x28\x00",
		"tags": "", // all in one user record
	} {
		t.Run(name, func(t *testing.T) {
			var body []byte
			if entry == "" {
				tags := bytes.Repeat([]byte("\x22\x00"), (kpl.MaxRecord-100)/2)
				body = protowire.AppendBytes([]byte("\x0a\x01k\x1a"), append([]byte("\x08\x00\x1a\x00"), tags...))
			} else {
				body = append([]byte("\x0a\x01k"), bytes.Repeat([]byte(entry), (kpl.MaxRecord-100)/len(entry))...)
			}
			data := sum(body)

			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := kpl.Deaggregate(data, "outer")
			runtime.ReadMemStats(&after)

			allocated := int(after.TotalAlloc - before.TotalAlloc)
			require.Less(t, allocated, 2*kpl.MaxRecord, "%d MB of a record of %d MB; %v", allocated>>20, len(data)>>20, err)
		})
	}
}
