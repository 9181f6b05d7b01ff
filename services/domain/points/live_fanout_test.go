package points_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/domain/points"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/postgres"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
	"tandem/services/test/testenv"
)

const lease = 1500 * time.Millisecond

// follower is a replica of mapfeed that notes what it was given.
type follower struct {
	*points.Live
	mu  sync.Mutex
	got map[string]time.Time // driver -> when its point was applied
}

func (f *follower) applied(driver string) (at time.Time, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, ok = f.got[driver]
	return at, ok
}

func follow(t *testing.T, client *kinesis.Client, dbURL string) *follower {
	t.Helper()
	f := &follower{got: map[string]time.Time{}}
	var err error
	f.Live, err = points.NewLive(points.LiveOptions{
		Name: "mapfeed", Client: client, PollEvery: 300 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
		FanOut: shardreader.FanOutOf(client), DatabaseURL: dbURL, Lease: lease,
		Apply: func(p event.Point, _ time.Time) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.got[p.Driver] = time.Now()
		},
	})
	require.NoError(t, err)

	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})

	return f
}

func put(t *testing.T, client *kinesis.Client, driver string) {
	t.Helper()
	data, err := event.Point{Driver: driver, Seq: 1, At: time.Now().UnixMilli()}.Encode()
	require.NoError(t, err)
	_, err = client.PutRecord(t.Context(), &kinesis.PutRecordInput{StreamName: aws.String(event.Stream), PartitionKey: &driver, Data: data})
	require.NoError(t, err)
}

func mode(t *testing.T, f *follower, want string) {
	t.Helper()
	is := func() bool { return f.Ready(t.Context()) == nil && f.Detail().Mode == want }
	if !assert.Eventually(t, is, 20*time.Second, 5*time.Millisecond) {
		require.Equal(t, want, f.Detail().Mode)
	}
}

// each puts n points and returns the times from each put until it was applied.
func each(t *testing.T, client *kinesis.Client, name string, n int, all ...*follower) []time.Duration {
	t.Helper()
	var took []time.Duration
	for i := range n {
		driver := fmt.Sprintf("%s-%d", name, i)
		sent := time.Now()
		put(t, client, driver)
		for _, f := range all {
			require.Eventually(t, func() bool { _, ok := f.applied(driver); return ok }, 20*time.Second, time.Millisecond)
			at, _ := f.applied(driver)
			took = append(took, at.Sub(sent))
		}
	}

	slices.Sort(took)
	return took
}

func TestReplicasReadByFanOutAsFarAsNamesGo(t *testing.T) {
	dbURL, pool := testenv.Database(t, postgres.Schema{Name: shardgroup.SchemaName, FS: shardgroup.Migrations()})
	cfg, err := awsclient.New(t.Context(), testenv.Emulator(t))
	require.NoError(t, err)
	client := kinesis.NewFromConfig(cfg)

	one := follow(t, client, dbURL)
	mode(t, one, "fan-out as mapfeed-1")
	took := each(t, client, "one", 200, one)
	t.Logf("put to applied by fan-out: p50 %s, p99 %s", took[100], took[198])
	require.Less(t, took[100], 50*time.Millisecond)
	require.Less(t, one.Detail().Latency.P50, 50.0)

	two := follow(t, client, dbURL)
	mode(t, two, "fan-out as mapfeed-2")
	three := follow(t, client, dbURL)
	mode(t, three, "polling: all 2 consumers called mapfeed-… are in use")
	each(t, client, "three", 5, one, two, three)

	// As if one had been frozen for as long as its lease lasted.
	_, err = pool.Exec(t.Context(), `UPDATE shardgroup.consumer_leases SET owner = 'x', expires_at = clock_timestamp() + interval '5 s' WHERE consumer_arn LIKE '%mapfeed-1%'`)
	require.NoError(t, err)
	mode(t, one, "polling: another process has the consumer")
	each(t, client, "polled", 5, one, two)
	require.Eventually(t, func() bool {
		return strings.HasPrefix(one.Detail().Mode+three.Detail().Mode, "fan-out") || strings.Contains(one.Detail().Mode+three.Detail().Mode, "fan-out as mapfeed-1")
	}, 20*time.Second, 10*time.Millisecond, "when it is free again, one of them takes it")
	each(t, client, "again", 5, one, two, three)
	require.Zero(t, one.Detail().Repeated, "nothing was read twice")
}

func TestWithoutADatabaseItPolls(t *testing.T) {
	cfg, err := awsclient.New(t.Context(), testenv.Emulator(t))
	require.NoError(t, err)
	client := kinesis.NewFromConfig(cfg)
	f := follow(t, client, "postgres://nobody@127.0.0.1:1/none")
	require.Eventually(t, func() bool { return f.Ready(t.Context()) == nil }, 20*time.Second, 10*time.Millisecond)
	each(t, client, "d", 3, f)
	mode(t, f, "polling: no consumer can be leased at present")
}
