package kinesisproducer_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/kinesisproducer"
)

func TestNewChecksTheOptions(t *testing.T) {
	good := kinesisproducer.Options{Client: newFakeStream(1), Stream: "s"}
	for _, change := range []func(o *kinesisproducer.Options){
		func(*kinesisproducer.Options) {},
		func(o *kinesisproducer.Options) { o.Buckets, o.AggregateMax = 16, 1<<20-1024 },
		func(o *kinesisproducer.Options) { o.AggregateMax, o.MaxPending, o.CallWithin = 1024, 1, 1 },
	} {
		o := good
		change(&o)
		_, err := kinesisproducer.New(o)
		require.NoError(t, err)
	}

	for want, change := range map[string]func(o *kinesisproducer.Options){
		"Client is nil; allowed is a client of Kinesis":                                   func(o *kinesisproducer.Options) { o.Client = nil },
		"Stream is empty; allowed is the stream's name":                                   func(o *kinesisproducer.Options) { o.Stream = "" },
		"Buckets is 17; allowed is 0 to 16":                                               func(o *kinesisproducer.Options) { o.Buckets = 17 },
		"Spacing is -1s; allowed is 0 or more":                                            func(o *kinesisproducer.Options) { o.Spacing = -time.Second },
		"Linger is -1s; allowed is 0 or more":                                             func(o *kinesisproducer.Options) { o.Linger = -time.Second },
		"AggregateMax is -1; allowed is 1024 to 1047552 bytes, or 0 for the default":      func(o *kinesisproducer.Options) { o.AggregateMax = -1 },
		"AggregateMax is 1023; allowed is 1024 to 1047552 bytes, or 0 for the default":    func(o *kinesisproducer.Options) { o.AggregateMax = 1023 },
		"AggregateMax is 1048576; allowed is 1024 to 1047552 bytes, or 0 for the default": func(o *kinesisproducer.Options) { o.AggregateMax = 1 << 20 },
		"MaxPending is -1; allowed is 1 byte or more, or 0 for the default":               func(o *kinesisproducer.Options) { o.MaxPending = -1 },
		"CallWithin is -5s; allowed is above 0, or 0 for the default":                     func(o *kinesisproducer.Options) { o.CallWithin = -5 * time.Second },
	} {
		o := good
		change(&o)
		p, err := kinesisproducer.New(o)
		require.ErrorContains(t, err, "kinesisproducer: Options."+want)
		require.Nil(t, p)
	}
}

func TestPutRefusesAKeyThatKinesisRefuses(t *testing.T) {
	p, err := kinesisproducer.New(kinesisproducer.Options{Client: newFakeStream(1), Stream: "s"})
	require.NoError(t, err)
	ended, cancel := context.WithCancel(t.Context())
	cancel()

	for _, key := range []string{"", strings.Repeat("é", 257), "a\xff"} {
		_, err := p.Put(ended, key, []byte("x"))
		require.ErrorIs(t, err, kinesisproducer.ErrKey, "%q", key)
	}
	_, err = p.Put(ended, strings.Repeat("é", 256), []byte("x"))
	require.ErrorIs(t, err, context.Canceled)
}

// refusing takes no record.
type refusing struct{}

func (refusing) PutRecords(context.Context, *kinesis.PutRecordsInput, ...func(*kinesis.Options)) (*kinesis.PutRecordsOutput, error) {
	return nil, errors.New("refused")
}

// Not parallel: it looks at what the process's own logger gets.
func TestWithoutALogItIsSilent(t *testing.T) {
	said, before := &bytes.Buffer{}, slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(said, nil)))
	defer slog.SetDefault(before)

	p, err := kinesisproducer.New(kinesisproducer.Options{Client: refusing{}, Stream: "s"})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx, time.Millisecond) }()
	within, stop := context.WithTimeout(ctx, 100*time.Millisecond)
	defer stop()
	_, err = p.Put(within, "k", []byte("x"))
	require.ErrorIs(t, err, context.DeadlineExceeded)

	cancel()
	require.Error(t, <-ended)
	require.Empty(t, said.String())
}
