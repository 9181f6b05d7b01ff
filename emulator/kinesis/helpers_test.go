package kinesis

import (
	"context"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tandem/emulator/wire"
	"tandem/services/test/testaws"
)

// open opens a service that is closed when the test ends.
func open(t testing.TB, o Options) *Service {
	t.Helper()
	s, err := Open(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// dial serves s over HTTP to the SDK, which does not retry.
func dial(t testing.TB, s *Service) *sdk.Client {
	t.Helper()
	return dialHandler(t, handler(s))
}

func handler(s *Service) http.HandlerFunc {
	service := wire.Service{Prefix: "Kinesis_20131202", ContentType: "application/x-amz-json-1.1", Ops: s.Ops()}
	return func(w http.ResponseWriter, r *http.Request) {
		service.Serve(w, r, r.Header.Get("X-Amz-Target"), slog.New(slog.DiscardHandler))
	}
}

func dialHandler(t testing.TB, h http.Handler) *sdk.Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	t.Cleanup(srv.CloseClientConnections) // first: subscriptions end
	cfg, err := testaws.Config(context.Background(), srv.URL, "")
	require.NoError(t, err)

	return sdk.NewFromConfig(cfg, func(o *sdk.Options) { o.Retryer = aws.NopRetryer{} })
}

func requireCode(t testing.TB, err error, code string) {
	t.Helper()
	var api smithy.APIError
	require.ErrorAs(t, err, &api)
	require.Equal(t, code, api.ErrorCode(), err)
}

// client is the SDK's, with the calls that most tests make, about one stream.
type client struct {
	*sdk.Client
	t      testing.TB
	stream string
}

// fresh serves a new service with one stream of so many shards.
func fresh(t testing.TB, o Options, shards int) (*Service, client) {
	t.Helper()
	s := open(t, o)
	require.NoError(t, s.Create("stream", shards, 24))
	return s, client{dial(t, s), t, "stream"}
}

func (c client) put(key, data string) *sdk.PutRecordOutput {
	c.t.Helper()
	out, err := c.PutRecord(c.t.Context(), &sdk.PutRecordInput{StreamName: &c.stream, PartitionKey: &key, Data: []byte(data)})
	require.NoError(c.t, err)
	return out
}

func (c client) shards() []types.Shard {
	c.t.Helper()
	out, err := c.ListShards(c.t.Context(), &sdk.ListShardsInput{StreamName: &c.stream})
	require.NoError(c.t, err)
	return out.Shards
}

func (c client) iterator(shard string, kind types.ShardIteratorType) string {
	c.t.Helper()
	out, err := c.GetShardIterator(c.t.Context(), &sdk.GetShardIteratorInput{StreamName: &c.stream, ShardId: &shard, ShardIteratorType: kind})
	require.NoError(c.t, err)
	return *out.ShardIterator
}

// drain reads a shard from its beginning to its tip or end.
func (c client) drain(shard string) (out []types.Record, ended bool) {
	c.t.Helper()
	next := c.iterator(shard, types.ShardIteratorTypeTrimHorizon)
	for {
		got, err := c.GetRecords(c.t.Context(), &sdk.GetRecordsInput{ShardIterator: &next})
		require.NoError(c.t, err)
		out = append(out, got.Records...)
		if got.NextShardIterator == nil || *got.MillisBehindLatest == 0 {
			return out, got.NextShardIterator == nil
		}
		next = *got.NextShardIterator
	}
}

func data(records []types.Record) (out []string) {
	for _, r := range records {
		out = append(out, string(r.Data))
	}
	return out
}

func shardOf(n int) *string { return aws.String(fmt.Sprintf("shardId-%012d", n)) }

// freshDir is a folder for one round of a property test.
func freshDir(t *rapid.T) string {
	dir, err := os.MkdirTemp("", "kinesis-test-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}

func bigOf(h hashKey) *big.Int {
	n, _ := new(big.Int).SetString(h.String(), 10)
	return n
}
