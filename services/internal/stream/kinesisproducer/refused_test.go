package kinesisproducer_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/kinesisproducer"
)

// Every error that AWS documents for PutRecords, by the SDK's types, and the common ones
// that have none.
func TestCauses(t *testing.T) {
	code := func(code string) error { return &smithy.GenericAPIError{Code: code} }
	for want, errs := range map[kinesisproducer.Cause][]error{
		kinesisproducer.Refused: {&types.InvalidArgumentException{}, &types.ValidationException{}, code("ValidationException")},
		kinesisproducer.Throttled: {
			&types.ProvisionedThroughputExceededException{}, &types.LimitExceededException{}, &types.KMSThrottlingException{}, code("ThrottlingException"),
		},
		kinesisproducer.Missing: {&types.ResourceNotFoundException{}, &types.ResourceInUseException{}},
		kinesisproducer.Denied: {
			&types.AccessDeniedException{}, code("ExpiredTokenException"), code("UnrecognizedClientException"), code("InvalidSignatureException"),
			code("IncompleteSignature"), code("RequestExpired"), code("OptInRequired"), code("NotAuthorized"),
		},
		kinesisproducer.Encryption: {
			&types.KMSAccessDeniedException{}, &types.KMSDisabledException{}, &types.KMSInvalidStateException{},
			&types.KMSNotFoundException{}, &types.KMSOptInRequired{},
		},
		kinesisproducer.Unavailable: {
			&types.InternalFailureException{}, code("ServiceUnavailable"), code("SerializationException"), code("nobody knows it"),
			errors.New("connection refused"), context.DeadlineExceeded,
		},
	} {
		for _, err := range errs {
			require.Equal(t, want, kinesisproducer.CauseOf(fmt.Errorf("PutRecords: %w", err)), "%T %v", err, err)
		}
	}
}

// poisoned makes a stream that refuses items with this text, as Kinesis does: the whole
// call, and it does not say which record it means.
func poisoned(text string) *fakeStream {
	f := newFakeStream(1)
	f.poison = text
	return f
}

// An item that the stream never takes ends its own Put alone; what is before it is
// acknowledged, nothing behind it is stored, and nobody else waits for it.
func TestWhatTheStreamNeverTakesEndsItsOwnPutAlone(t *testing.T) {
	for name, entry := range map[string]bool{"the call is refused": false, "the record is refused": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := poisoned("poison")
				f.poisonNamed = entry
				p, stop := start(f)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				var wg sync.WaitGroup
				for k := range 40 {
					wg.Go(func() {
						acked, err := p.Put(ctx, fmt.Sprint("good-", k), item(1), item(2), item(3))
						if acked != 3 || err != nil {
							t.Errorf("good-%d: %d %v", k, acked, err)
						}
					})
				}
				wg.Go(func() {
					acked, err := p.Put(ctx, "bad", item(1), item(2), []byte("poison"), item(4), item(5))
					if acked != 2 || !errors.Is(err, kinesisproducer.ErrRefused) || kinesisproducer.CauseOf(err) != kinesisproducer.Refused {
						t.Errorf("bad: %d %v", acked, err)
					}
				})
				began := time.Now()
				wg.Wait()
				require.Less(t, time.Since(began), time.Second)

				acked, err := p.Put(ctx, "bad", item(6))
				require.NoError(t, err, "the key goes on")
				require.Equal(t, 1, acked)
				require.NoError(t, stop())

				got, _ := distinct(f.stored["bad"])
				require.Equal(t, []uint64{1, 2, 6}, got)
				for k := range 40 {
					got, _ := distinct(f.stored[fmt.Sprint("good-", k)])
					require.Equal(t, []uint64{1, 2, 3}, got)
				}
				require.Less(t, len(f.calls)+f.refusals, 40, "by halves, not one by one")
			})
		})
	}
}

// While others put, one after the other, an item each: none of theirs is refused, and the
// poison is found by halves.
func TestNobodyIsRefusedWithAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := poisoned("poison")
		f.latency = 3 * time.Millisecond
		p, stop := start(f, func(o *kinesisproducer.Options) { o.Buckets = 6 })
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		ended := make(chan struct{})
		var wg sync.WaitGroup
		for k := range 64 {
			wg.Go(func() {
				for n := uint64(1); ; n++ {
					select {
					case <-ended:
						return
					default:
					}
					if _, err := p.Put(ctx, fmt.Sprint("good-", k), item(n)); err != nil {
						t.Errorf("good-%d: %v", k, err)
						return
					}
				}
			})
		}

		for range 10 {
			time.Sleep(100 * time.Millisecond)
			_, err := p.Put(ctx, "bad", []byte("poison"))
			require.ErrorIs(t, err, kinesisproducer.ErrRefused)
		}
		close(ended)
		wg.Wait()
		require.NoError(t, stop())
		t.Log(f.refusals, "refusals")
		require.Less(t, f.refusals, 10*64/2, "of 64 records, and of the items with it, halves: 7 to 11 each, as measured")
	})
}

// A dependency that is away is no failure of the data: whatever AWS calls it, the data is
// sent once that is over, and who waits no longer is told the reason.
func TestWhatPassesIsWaitedFor(t *testing.T) {
	for _, why := range []error{
		&types.ResourceNotFoundException{Message: aws.String("no stream s")}, &types.AccessDeniedException{}, &types.KMSDisabledException{},
		&smithy.GenericAPIError{Code: "ExpiredTokenException"}, &types.LimitExceededException{}, errors.New("no route to host"),
	} {
		t.Run(fmt.Sprintf("%T", why), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFakeStream(1)
				f.fails = why
				p, stop := start(f)

				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				acked, err := p.Put(ctx, "a", item(1))
				cancel()
				require.Zero(t, acked)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.ErrorIs(t, err, why, "it is named")
				require.NotErrorIs(t, err, kinesisproducer.ErrRefused)
				require.ErrorIs(t, p.Ready(t.Context()), why)

				put := putAt(t, p, "b", 0, item(1))
				time.Sleep(time.Hour)
				f.mu.Lock()
				f.fails = nil
				f.mu.Unlock()
				require.Less(t, <-put, time.Hour+3*time.Second)
				require.NoError(t, stop())
				require.Len(t, f.stored["a"], 1, "in flight when its Put ended")
			})
		})
	}
}

// One refusal is a matter of one Put; that all are refused is a matter of the stream, or
// of how it is called.
func TestReadyAfterRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := poisoned("poison")
		p, stop := start(f)
		refused := func() {
			_, err := p.Put(t.Context(), "bad", []byte("poison"))
			require.ErrorIs(t, err, kinesisproducer.ErrRefused)
		}

		refused()
		for range 20 {
			time.Sleep(time.Second)
			require.NoError(t, p.Ready(t.Context()), "one alone")
		}
		refused()
		require.NoError(t, p.Ready(t.Context()), "and one much later")
		for range 5 {
			time.Sleep(time.Second)
			refused()
		}
		require.ErrorContains(t, p.Ready(t.Context()), "poison", "nothing else is taken")
		time.Sleep(10 * time.Second)
		require.NoError(t, p.Ready(t.Context()), "nobody puts any more")
		require.NoError(t, stop())
	})
}

// What a Put that was given up has in flight may be refused as well.
func TestWhatWasGivenUpIsRefusedUnheard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := poisoned("poison")
		f.latency = time.Second
		p, stop := start(f, func(o *kinesisproducer.Options) { o.Buckets = 0 })
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		_, err := p.Put(ctx, "bad", []byte("poison"), item(1))
		require.ErrorIs(t, err, context.DeadlineExceeded)

		_, err = p.Put(t.Context(), "good", item(1))
		require.NoError(t, err)
		require.NoError(t, stop(), "nothing is left")
		require.Empty(t, f.stored["bad"])
	})
}
