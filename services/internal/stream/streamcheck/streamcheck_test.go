package streamcheck_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/awsclient"
	"tandem/services/internal/stream/streamcheck"
	"tandem/services/test/testenv"
)

type answers func() (types.StreamStatus, int32, error)

func (a answers) DescribeStreamSummary(context.Context, *kinesis.DescribeStreamSummaryInput, ...func(*kinesis.Options)) (*kinesis.DescribeStreamSummaryOutput, error) {
	status, open, err := a()
	return &kinesis.DescribeStreamSummaryOutput{StreamDescriptionSummary: &types.StreamDescriptionSummary{StreamStatus: status, OpenShardCount: &open}}, err
}

func TestWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		status types.StreamStatus
		open   int32
		err    error
		advice string
	}{
		{types.StreamStatusActive, 8, nil, ""},
		{types.StreamStatusUpdating, 8, nil, ""},
		{types.StreamStatusActive, 9, nil, "stream s has 9 open shards, and no more than 8 can be used: set its shards to 8 or fewer"},
		{types.StreamStatusCreating, 0, nil, "stream s is CREATING: wait until it is ACTIVE"},
		{"", 0, &types.ResourceNotFoundException{}, "stream s does not exist: deploy it"},
	} {
		err := newChecker(t, streamcheck.Options{Stream: "s", MaxShards: 8, Client: answers(func() (types.StreamStatus, int32, error) { return c.status, c.open, c.err })}).Check(t.Context())

		if c.advice == "" {
			require.NoError(t, err)
			continue
		}
		var wrong *streamcheck.SetupError
		require.ErrorAs(t, err, &wrong)
		require.Equal(t, c.advice, wrong.Advice())
	}
}

func newChecker(t *testing.T, o streamcheck.Options) *streamcheck.Checker {
	t.Helper()
	c, err := streamcheck.New(o)
	require.NoError(t, err)
	return c
}

func TestOptionsAreChecked(t *testing.T) {
	there := answers(func() (types.StreamStatus, int32, error) { return types.StreamStatusActive, 1, nil })
	for wrong, o := range map[string]streamcheck.Options{
		"Client":    {Stream: "s"},
		"Stream":    {Client: there},
		"MaxShards": {Client: there, Stream: "s", MaxShards: -1},
	} {
		_, err := streamcheck.New(o)
		require.ErrorContains(t, err, wrong)
	}
}

func TestItLooksUntilItFits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &bytes.Buffer{}
		var looks atomic.Int64
		var there atomic.Bool
		c := newChecker(t, streamcheck.Options{Stream: "s", Log: slog.New(slog.NewTextHandler(log, nil)), Client: answers(func() (types.StreamStatus, int32, error) {
			n := looks.Add(1)
			switch {
			case there.Load():
				return types.StreamStatusActive, 4, nil
			case n == 1:
				return "", 0, errors.New("no route to host")
			}
			return "", 0, &types.ResourceNotFoundException{}
		})})

		require.Error(t, c.Ready(t.Context()), "it has not looked")
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- c.Run(ctx) }()

		time.Sleep(5 * time.Minute)
		synctest.Wait()
		require.ErrorContains(t, c.Ready(t.Context()), "does not exist")
		require.Less(t, looks.Load(), int64(60), "it backs off")
		require.Equal(t, 2, strings.Count(log.String(), "level=ERROR"), "each reason once")

		there.Store(true)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		require.NoError(t, c.Ready(t.Context()))

		before := looks.Load()
		time.Sleep(time.Hour)
		require.Equal(t, before, looks.Load(), "any number of shards fits: it looks no more")

		cancel()
		require.NoError(t, <-ended)
	})
}

// A stream that outgrows its bound later is said, soon where somebody saw a new shard. It
// is still used: its last shards are empty, and that is all.
func TestAStreamThatOutgrowsItsBoundIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &bytes.Buffer{}
		var looks, open, reported atomic.Int64
		var away atomic.Bool
		open.Store(4)
		c := newChecker(t, streamcheck.Options{
			Stream: "s", MaxShards: 8, Log: slog.New(slog.NewTextHandler(log, nil)), Report: func(n int) { reported.Store(int64(n)) },
			Client: answers(func() (types.StreamStatus, int32, error) {
				looks.Add(1)
				if away.Load() {
					return "", 0, errors.New("no route to host")
				}
				return types.StreamStatusActive, int32(open.Load()), nil //nolint:gosec // below 100
			}),
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- c.Run(ctx) }()
		pass := func(d time.Duration) { time.Sleep(d); synctest.Wait() }
		said := func() int { return strings.Count(log.String(), "level=ERROR") }

		pass(time.Hour)
		require.EqualValues(t, 4, reported.Load())
		require.Greater(t, looks.Load(), int64(50))
		require.Less(t, looks.Load(), int64(62), "once a minute, about")

		open.Store(9)
		pass(2 * time.Minute)
		require.Equal(t, 1, said())
		require.Contains(t, log.String(), "9 open shards, and no more than 8 can be used")
		require.EqualValues(t, 9, reported.Load())
		require.NoError(t, c.Ready(t.Context()), "it is used as before")
		pass(time.Hour)
		require.Equal(t, 1, said(), "once")

		open.Store(8)
		pass(2 * time.Minute)
		require.Equal(t, 1, strings.Count(log.String(), "level=INFO"), "and that it fits again")

		away.Store(true)
		pass(time.Hour)
		require.Equal(t, 1, said(), "not to know is nothing to say")
		require.EqualValues(t, 8, reported.Load())
		require.NoError(t, c.Ready(t.Context()))

		away.Store(false)
		pass(2 * time.Minute)
		open.Store(10)
		before := looks.Load()
		for range 1000 {
			c.Recheck()
		}
		pass(6 * time.Second)
		require.LessOrEqual(t, looks.Load(), before+2, "however often it is asked")
		require.EqualValues(t, 10, reported.Load(), "soon")

		cancel()
		require.NoError(t, <-ended)
	})
}

func TestOverHTTP(t *testing.T) {
	cfg, err := awsclient.New(t.Context(), testenv.Emulator(t))
	require.NoError(t, err)
	client := kinesis.NewFromConfig(cfg)
	o := streamcheck.Options{Client: client, Stream: "driver-locations", MaxShards: 4, Log: slog.New(slog.DiscardHandler)}
	require.NoError(t, newChecker(t, o).Check(t.Context()))

	o.MaxShards = 3
	require.ErrorContains(t, newChecker(t, o).Check(t.Context()), "4 open shards")

	o.Stream = "late"
	require.ErrorContains(t, newChecker(t, o).Check(t.Context()), "stream late does not exist")
	_, err = client.CreateStream(t.Context(), &kinesis.CreateStreamInput{StreamName: aws.String("late"), ShardCount: aws.Int32(1)})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return newChecker(t, o).Check(t.Context()) == nil }, 10*time.Second, 20*time.Millisecond)
}
