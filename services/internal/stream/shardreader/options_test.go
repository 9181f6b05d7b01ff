package shardreader_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardreader"
	"tandem/services/internal/stream/shardreader/fakestream"
)

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	for wrong, change := range map[string]func(*shardreader.Options){
		"Client":       func(o *shardreader.Options) { o.Client = nil },
		"Stream":       func(o *shardreader.Options) { o.Stream = "" },
		"PollEvery":    func(o *shardreader.Options) { o.PollEvery = -time.Second },
		"CatchUpBytes": func(o *shardreader.Options) { o.CatchUpBytes = -1 },
		"MaxRecords":   func(o *shardreader.Options) { o.MaxRecords = -1 },
		"a stream's":   func(o *shardreader.Options) { o.Stream = "arn:aws:sqs:us-east-1:000000000000:s" },
		"Limit":        func(o *shardreader.Options) { o.Limit = 10_001 },
		"CallTimeout":  func(o *shardreader.Options) { o.CallTimeout = -1 },
		"Consumer":     func(o *shardreader.Options) { o.Consumer = func() (context.Context, string) { return nil, "" } },
	} {
		o := polling(fakestream.New("a"))
		change(&o)
		_, err := shardreader.New(o)
		require.ErrorContains(t, err, wrong)
	}
}
