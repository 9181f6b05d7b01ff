package kinesisproducer_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"

	"tandem/emulator"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/stream/kinesisproducer"
	"tandem/services/test/testenv"
)

// poisoning breaks each record that has the word poison in it, so that Kinesis refuses it.
type poisoning struct{ kinesisproducer.Client }

func (p poisoning) PutRecords(ctx context.Context, in *kinesis.PutRecordsInput, opts ...func(*kinesis.Options)) (*kinesis.PutRecordsOutput, error) {
	for i, r := range in.Records {
		if strings.Contains(string(r.Data), "poison") {
			in.Records[i].ExplicitHashKey = aws.String("-1")
		}
	}
	return p.Client.PutRecords(ctx, in, opts...)
}

// producing runs a producer on a stream of an emulator, with no SDK retries in its way.
func producing(t *testing.T, client kinesisproducer.Client, stream string) *kinesisproducer.Producer {
	t.Helper()
	p, err := kinesisproducer.New(kinesisproducer.Options{Client: client, Stream: stream, Buckets: 6, Linger: 20 * time.Millisecond})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx, time.Second) }()
	t.Cleanup(func() { cancel(); require.NoError(t, <-ended) })
	return p
}

// What the emulator refuses, as AWS does, is refused: the call's other records are not, and
// what is only away is waited for.
func TestOnTheEmulator(t *testing.T) {
	t.Parallel()
	at := testenv.Emulator(t, func(c *emulator.Config) { c.Faults = true })
	cfg, err := awsclient.New(t.Context(), at)
	require.NoError(t, err)
	client := kinesis.NewFromConfig(cfg)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()

	t.Run("one item is refused", func(t *testing.T) {
		p := producing(t, poisoning{client}, "driver-locations")
		var all sync.WaitGroup
		for k := range 60 {
			all.Go(func() {
				if _, err := p.Put(ctx, fmt.Sprint("good-", k), []byte("x")); err != nil {
					t.Error(err)
				}
			})
		}
		acked, err := p.Put(ctx, "bad", []byte("x"), []byte("poison"), []byte("y"))
		require.ErrorIs(t, err, kinesisproducer.ErrRefused)
		var refused *types.InvalidArgumentException
		require.ErrorAs(t, err, &refused)
		require.Equal(t, 1, acked)
		all.Wait()
	})

	t.Run("a stream that comes later", func(t *testing.T) {
		p := producing(t, client, "late")
		short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
		_, err := p.Put(short, "k", []byte("x"))
		require.Equal(t, kinesisproducer.Missing, kinesisproducer.CauseOf(err), "%v", err)

		_, err = client.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: aws.String("late"), ShardCount: aws.Int32(1)})
		require.NoError(t, err)
		_, err = p.Put(ctx, "k", []byte("x"))
		require.NoError(t, err)
	})

	t.Run("a permission that comes later", func(t *testing.T) {
		setFaults(t, at.Endpoint, `[{"operation":"PutRecords","kind":"error","code":"AccessDeniedException"}]`)
		p := producing(t, client, "driver-locations")
		short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
		_, err := p.Put(short, "k", []byte("x"))
		var denied *types.AccessDeniedException
		require.ErrorAs(t, err, &denied)

		setFaults(t, at.Endpoint, `[]`)
		_, err = p.Put(ctx, "k", []byte("x"))
		require.NoError(t, err)
	})

	t.Run("no answer", func(t *testing.T) {
		setFaults(t, at.Endpoint, `[{"operation":"PutRecords","kind":"reset","count":3},{"operation":"PutRecords","kind":"lost_answer","count":2}]`)
		p := producing(t, client, "driver-locations")
		_, err := p.Put(ctx, "k", []byte("x"))
		require.NoError(t, err)
	})
}

func setFaults(t *testing.T, endpoint, rules string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, endpoint+"/_aws/faults", strings.NewReader(rules))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
}
