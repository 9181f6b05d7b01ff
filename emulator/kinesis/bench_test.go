package kinesis

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"

	"tandem/emulator/wire"
)

// stub is a server that only decodes and answers: what nobody can be faster
// than in this protocol.
func stub(records int) http.HandlerFunc {
	type answer struct {
		ShardID        string `json:"ShardId"`
		SequenceNumber string
	}
	type given struct {
		Data                         []byte
		PartitionKey, SequenceNumber string
		ApproximateArrivalTimestamp  float64
	}
	get := make([]given, records)

	for i := range get {
		get[i] = given{make([]byte, 100), fmt.Sprint("key", i), sequenceText(uint64(i)), 1.5}
	}
	return func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		var out any
		if r.Header.Get("X-Amz-Target") == "Kinesis_20131202.PutRecords" {
			var in putManyIn
			if err := json.Unmarshal(b, &in); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			all := make([]answer, len(in.Records))
			for i := range all {
				all[i] = answer{"shardId-000000000000", sequenceText(uint64(i))}
			}
			out = map[string]any{"FailedRecordCount": 0, "Records": all}
		} else {
			out = map[string]any{"Records": get, "NextShardIterator": "x", "MillisBehindLatest": 0}
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_ = json.NewEncoder(w).Encode(out)
	}
}

func BenchmarkPutRecords(b *testing.B) {
	_, emulated := fresh(b, Options{Dir: b.TempDir()}, 4)
	for name, c := range map[string]*sdk.Client{"emulator": emulated.Client, "stub": dialHandler(b, stub(0))} {
		b.Run(name, func(b *testing.B) {
			records := entries(500)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					out, err := c.PutRecords(b.Context(), &sdk.PutRecordsInput{StreamName: aws.String("stream"), Records: records})
					if err != nil || len(out.Records) != len(records) {
						b.Error(err)
					}
				}
			})

			b.ReportMetric(float64(b.N*len(records))/b.Elapsed().Seconds(), "records/s")
		})
	}
}

func BenchmarkGetRecords(b *testing.B) {
	const each = 1000
	_, emulated := fresh(b, Options{Dir: b.TempDir()}, 1)
	for range 10 * each / 500 {
		_, err := emulated.PutRecords(b.Context(), &sdk.PutRecordsInput{StreamName: aws.String("stream"), Records: entries(500)})
		require.NoError(b, err)
	}

	start := emulated.iterator(*shardOf(0), types.ShardIteratorTypeTrimHorizon)
	for name, c := range map[string]*sdk.Client{"emulator": emulated.Client, "stub": dialHandler(b, stub(each))} {
		b.Run(name, func(b *testing.B) {
			var got atomic.Int64
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					out, err := c.GetRecords(b.Context(), &sdk.GetRecordsInput{ShardIterator: &start, Limit: aws.Int32(each)})
					if err != nil || len(out.Records) != each {
						b.Error(err)
						return
					}
					got.Add(each)
				}
			})

			b.ReportMetric(float64(got.Load())/b.Elapsed().Seconds(), "records/s")
		})
	}
}

func entries(n int) (out []types.PutRecordsRequestEntry) {
	for i := range n {
		out = append(out, types.PutRecordsRequestEntry{PartitionKey: aws.String(fmt.Sprint("key", i)), Data: make([]byte, 100)})
	}
	return out
}

// BenchmarkRead is GetRecords without HTTP and the SDK.
func BenchmarkRead(b *testing.B) {
	s := open(b, Options{Dir: b.TempDir()})
	require.NoError(b, s.Create("stream", 1, 24))
	for range 20 {
		in := putManyIn{target: target{StreamName: "stream"}}
		for i := range 500 {
			in.Records = append(in.Records, putEntry{Data: make([]byte, 121), PartitionKey: fmt.Sprint("key", i)})
		}
		_, err := s.putRecords(b.Context(), in)
		require.NoError(b, err)
	}

	c, limit := cursor{"stream", s.streams["stream"].info.Created, *shardOf(0), 0, s.nowMS()}, 500
	b.ReportAllocs()
	for b.Loop() {
		raw, err := s.getRecords(b.Context(), getIn{c.text(), &limit})
		if err != nil {
			b.Fatal(err)
		}
		raw.Release()
	}
}

// BenchmarkPut is PutRecords from its body on, without HTTP and the SDK.
func BenchmarkPut(b *testing.B) {
	s := open(b, Options{Dir: b.TempDir()})
	require.NoError(b, s.Create("stream", 4, 24))
	in := map[string]any{"StreamName": "stream"}
	var records []map[string]any

	for i := range 500 {
		records = append(records, map[string]any{"Data": make([]byte, 121), "PartitionKey": fmt.Sprint("key", i)})
	}
	in["Records"] = records
	body, err := json.Marshal(in)
	require.NoError(b, err)

	op := s.Ops()["PutRecords"]
	b.ReportAllocs()
	for b.Loop() {
		out, err := op(b.Context(), body)
		if err != nil {
			b.Fatal(err)
		}
		out.(wire.Raw).Release()
	}
}
