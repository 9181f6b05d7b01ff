package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	ktypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/client"
	"tandem/services/domain/event"
	"tandem/services/domain/profile"
	"tandem/services/heatmap"
	"tandem/services/history"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/ledger"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/queue/sqsworker"
	"tandem/services/internal/stream/kpl"
	"tandem/services/test/testenv"
)

// TestOnARunningSystem audits the real readers on the emulator over HTTP while
// points come in: every audit is ok, and the last one has seen all of them.
func TestOnARunningSystem(t *testing.T) {
	t.Parallel()
	url, pool := database(t)
	s := newSite(t, url, pool)
	s.clean()
	s.ledger = t.TempDir() + "/ledger"
	s.promise() // nothing yet
	s.cfg.LedgerPath, s.cfg.AWS, s.cfg.Profile, s.cfg.Wait = s.ledger, testenv.Emulator(t), profile.Fast(), 30*time.Second
	sdk, err := awsclient.New(t.Context(), s.cfg.AWS)
	require.NoError(t, err)
	signer, err := auth.NewSigner(bytes.Repeat([]byte("k"), 32))
	require.NoError(t, err)
	serve(t, func(ctx context.Context, env lifecycle.Env) error {
		return history.Run(ctx, env, history.Config{DatabaseURL: s.cfg.DatabaseURL, AWS: s.cfg.AWS, Auth: signer, Profile: profile.Fast()})
	})
	serve(t, func(ctx context.Context, env lifecycle.Env) error {
		return heatmap.Run(ctx, env, heatmap.Config{DatabaseURL: s.cfg.DatabaseURL, AWS: s.cfg.AWS, Auth: signer, Profile: profile.Fast()})
	})

	streams := kinesis.NewFromConfig(sdk)
	const drivers, rounds, each = 12, 40, 5
	var load sync.WaitGroup
	load.Go(func() {
		for n := range rounds {
			for d := range drivers {
				s.drive(streams, fmt.Sprint("driver-", d), n*each, each)
			}
		}
	})
	for range 2 {
		requireOK(t, s)
	}
	load.Wait()
	s.drive(streams, "driver-0", 0, each) // a producer's retry
	r := requireOK(t, s)
	require.EqualValues(t, drivers*rounds*each, r.Count("points", "rows"))
	require.EqualValues(t, drivers*rounds*each, r.Count("heatmap", "sum"))
	require.EqualValues(t, each, r.Count("order", "repeats"))

	// A dead letter with its reason is in order, one without is named.
	dlq, err := sqs.NewFromConfig(sdk).GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("ride-requests-dlq")})
	require.NoError(t, err)
	s.deadLetter(sdk, "ride-requests")
	require.Eventually(t, func() bool {
		dead, err := (&cloud{endpoint: s.cfg.AWS.Endpoint, queues: sqs.NewFromConfig(sdk)}).Dead(t.Context(), "ride-requests-dlq")
		return err == nil && dead.count == 1
	}, 10*time.Second, 20*time.Millisecond)
	requireOK(t, s)
	_, err = sqs.NewFromConfig(sdk).SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: dlq.QueueUrl, MessageBody: aws.String("x")})
	require.NoError(t, err)
	r, err = Run(t.Context(), s.cfg)
	require.NoError(t, err)
	require.False(t, r.OK)
	require.EqualValues(t, 2, r.Count("queues", "dead"))
}

func requireOK(t *testing.T, s *site) Report {
	t.Helper()
	r, err := Run(t.Context(), s.cfg)
	require.NoError(t, err)
	for _, c := range r.Checks {
		require.True(t, c.OK, "%s: %s", c.Name, c.Detail)
	}
	return r
}

// drive puts points of a driver on the stream and promises them.
func (s *site) drive(streams *kinesis.Client, driver string, from, n int) {
	const buckets kpl.Buckets = 6
	hash := buckets.HashKey(buckets.Of(driver))
	a := kpl.NewAggregate(hash, 1<<20)
	var ns []int
	for i := range n {
		p := event.Point{Driver: driver, Seq: s.seq(from + i), At: s.seq(from + i), Lat: -34.9, Lon: -56.1}
		b, err := p.Encode()
		if err != nil || !a.Add(driver, b) {
			s.t.Errorf("point %d of %s: %v", from+i, driver, err)
		}
		ns = append(ns, from+i)
	}
	data, err := a.Encode()
	if err != nil {
		s.t.Errorf("aggregate: %v", err)
	}
	out, err := streams.PutRecords(context.Background(), &kinesis.PutRecordsInput{
		StreamName: aws.String(event.Stream), Records: []ktypes.PutRecordsRequestEntry{{Data: data, PartitionKey: &driver, ExplicitHashKey: &hash}},
	})
	if err != nil || aws.ToInt32(out.FailedRecordCount) > 0 {
		s.t.Errorf("put: %v", err)
	}
	e := s.points(driver, ns...)
	e.At, e.Kind = time.Now(), client.KindPoints
	w, err := ledger.Open(s.ledger, 0)
	if err = errors.Join(err, w.Write(e), w.Close()); err != nil {
		s.t.Errorf("ledger: %v", err)
	}
}

// deadLetter has a worker dead-letter a message.
func (s *site) deadLetter(sdk aws.Config, queue string) {
	s.t.Helper()
	queues := sqs.NewFromConfig(sdk)
	q, err := queues.GetQueueUrl(s.t.Context(), &sqs.GetQueueUrlInput{QueueName: &queue})
	require.NoError(s.t, err)
	_, err = queues.SendMessage(s.t.Context(), &sqs.SendMessageInput{QueueUrl: q.QueueUrl, MessageBody: aws.String("{")})
	require.NoError(s.t, err)
	w, err := sqsworker.New(sqsworker.Options{
		Client: queues, Queue: queue, DeadLetterQueue: queue + "-dlq",
		Handler: sqsworker.HandlerFunc(func(context.Context, sqsworker.Message) sqsworker.Result {
			return sqsworker.DeadLetter(errors.New("cannot be read"))
		}),
	})
	require.NoError(s.t, err)
	serve(s.t, func(ctx context.Context, env lifecycle.Env) error {
		return errors.Join(w.Run(ctx), env.Listener.Close())
	})
}

func serve(t *testing.T, run func(context.Context, lifecycle.Env) error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, lifecycle.Env{Listener: l, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()})
	}()
	t.Cleanup(func() { cancel(); require.NoError(t, <-ended) })
}
