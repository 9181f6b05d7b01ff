package points

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/internal/stream/shardreader/fakestream"
)

// Points that were put on the recreated stream before this reader noticed it are
// read too.
func TestARecreatedStreamIsReadFromItsBeginning(t *testing.T) {
	s := fakestream.New("0")
	applied := make(chan int64, 10)
	l := newTestLive(t, LiveOptions{
		Name: "test", Client: s, Back: time.Minute, PollEvery: 50 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
		Apply: func(p event.Point, _ time.Time) { applied <- p.Seq },
	})
	put := func(seq int64) {
		data, err := event.Point{Driver: "d", Seq: seq, At: seq}.Encode()
		require.NoError(t, err)
		s.Put("0", "d", data)
	}

	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	put(1)
	require.EqualValues(t, 1, <-applied)

	// Away in between, so that the reader does not notice before the point is there.
	s.Fail(func(string) error { return fakestream.ErrRefused })
	s.Recreate("0")
	put(2)
	s.Fail(func(string) error { return nil })
	require.EqualValues(t, 2, <-applied)

	stop()
	require.NoError(t, <-ended)
}
