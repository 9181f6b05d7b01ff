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
		require.Equal(t, before, looks.Load(), "it looks no more")

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
