package heatmap_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/domain/profile"
	"tandem/services/heatmap"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/postgres"
	"tandem/services/internal/stream/kpl"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/test/testenv"
)

const buckets kpl.Buckets = 6

// put sends one aggregate for each driver, each with points from..from+n-1.
func put(t *testing.T, c *kinesis.Client, drivers []string, from, n int) {
	t.Helper()
	var entries []types.PutRecordsRequestEntry
	for _, d := range drivers {
		hash := buckets.HashKey(buckets.Of(d))
		a := kpl.NewAggregate(hash, 1<<20)
		for i := range n {
			seq := time.Date(2014, 2, 3, 4, 5, 0, 0, time.UTC).UnixMilli() + int64(from+i)*1000
			b, err := event.Point{Driver: d, Seq: seq, At: seq, Lat: 41.1, Lon: -8.6}.Encode()
			require.NoError(t, err)
			require.True(t, a.Add(d, b))
		}
		data, err := a.Encode()
		require.NoError(t, err)
		entries = append(entries, types.PutRecordsRequestEntry{Data: data, PartitionKey: aws.String(d), ExplicitHashKey: aws.String(hash)})
	}
	out, err := c.PutRecords(context.Background(), &kinesis.PutRecordsInput{StreamName: aws.String("driver-locations"), Records: entries})
	require.NoError(t, err)
	require.Zero(t, aws.ToInt32(out.FailedRecordCount))
}

// start runs the service until the returned function is called.
func start(t *testing.T, dbURL string, cloud awsclient.Config) (base string, stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	signer, err := auth.NewSigner([]byte(strings.Repeat("k", 32)))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- heatmap.Run(ctx, lifecycle.Env{Listener: l, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()},
			heatmap.Config{DatabaseURL: dbURL, AWS: cloud, Auth: signer, Profile: profile.Fast()})
	}()
	return "http://" + l.Addr().String(), func() {
		cancel()
		select {
		case err := <-ended:
			require.NoError(t, err, "drained")
		case <-time.After(lifecycle.DrainTimeout):
			require.Fail(t, "not drained in time")
		}
	}
}

func counted(t *testing.T, pool *pgxpool.Pool) (n int) {
	t.Helper()
	require.NoError(t, pool.QueryRow(context.Background(), `SELECT coalesce(sum(n), 0)::int FROM heatmap.cells`).Scan(&n))
	return n
}

func TestServiceCountsAcrossRestarts(t *testing.T) {
	t.Parallel()
	cloud := testenv.Emulator(t)
	dbURL, pool := testenv.Database(t, heatmap.Schema(), postgres.Schema{Name: shardgroup.SchemaName, FS: shardgroup.Migrations()})
	cfg, err := awsclient.New(context.Background(), cloud)
	require.NoError(t, err)
	client := kinesis.NewFromConfig(cfg)
	var drivers []string
	for i := range 20 {
		drivers = append(drivers, fmt.Sprint("driver-", i))
	}
	base, stop := start(t, dbURL, cloud)
	require.Eventually(t, func() bool {
		resp, err := http.Get(base + "/readyz")
		if err != nil {
			return false
		}
		defer func() { _ = resp.Body.Close() }()
		return resp.StatusCode == http.StatusOK
	}, 10*time.Second, 20*time.Millisecond)
	put(t, client, drivers, 0, 10)
	require.Eventually(t, func() bool { return counted(t, pool) == 200 }, 10*time.Second, 20*time.Millisecond)
	stop()

	put(t, client, drivers, 5, 10) // half of it again
	_, stop = start(t, dbURL, cloud)
	defer stop()
	require.Eventually(t, func() bool { return counted(t, pool) == 300 }, 10*time.Second, 20*time.Millisecond)
	var skipped int
	require.NoError(t, pool.QueryRow(context.Background(), `SELECT sum(skipped) FROM heatmap.marks`).Scan(&skipped))
	require.Equal(t, 100, skipped)
}
