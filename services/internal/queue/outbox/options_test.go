package outbox_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/queue/outbox"
)

func TestNewRelayChecksTheOptions(t *testing.T) {
	good := outbox.Options{Pool: &pgxpool.Pool{}, Client: newSQS(), Box: outbox.New("shop", "outbox"), Queues: []string{"a", "b.fifo"}}
	_, err := outbox.NewRelay(good)
	require.NoError(t, err)

	for want, change := range map[string]func(o *outbox.Options){
		"Pool is nil; allowed is a pool":                                func(o *outbox.Options) { o.Pool = nil },
		"Client is nil; allowed is a client of SQS":                     func(o *outbox.Options) { o.Client = nil },
		"Box is the zero Box; allowed is what New returns":              func(o *outbox.Options) { o.Box = outbox.Box{} },
		"PollEvery is -1s; allowed is above 0, or 0 for the default":    func(o *outbox.Options) { o.PollEvery = -time.Second },
		"SendWithin is -1ns; allowed is above 0, or 0 for the default":  func(o *outbox.Options) { o.SendWithin = -1 },
		"KeepSent is -1h0m0s; allowed is above 0, or 0 for the default": func(o *outbox.Options) { o.KeepSent = -time.Hour },
		`Queues is "http://q"; allowed is the names of queues: 1 to 80`: func(o *outbox.Options) { o.Queues = []string{"a", "http://q"} },
		`Queues is ""; allowed is the names of queues`:                  func(o *outbox.Options) { o.Queues = []string{""} },
	} {
		o := good
		change(&o)
		r, err := outbox.NewRelay(o)
		require.ErrorContains(t, err, "outbox: Options."+want)
		require.Nil(t, r)
	}
}
