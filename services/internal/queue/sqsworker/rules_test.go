package sqsworker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/queue/sqstest"
)

func TestManySlowHeartbeatsLoseNoMessage(t *testing.T) {
	f := newFake(false)
	for i := range 100 {
		f.q.Send(fmt.Sprint(i))
	}
	handler := HandlerFunc(func(ctx context.Context, _ Message) Result {
		// It ends between two heartbeats: the bubble's clock stands still while a
		// goroutine waits for a mutex.
		if !pause(ctx, 128*time.Second) {
			return RetryAfter(time.Second, context.Cause(ctx))
		}
		return Done()
	})
	f.On("ChangeMessageVisibilityBatch", sqstest.Slow(1500*time.Millisecond))
	bubble(t, f, Options{Handler: handler, MaxInFlight: 100}, func(w *Worker, stop func() error) {
		time.Sleep(3 * time.Minute)
		require.Equal(t, Stats{Received: 100, Done: 100}, w.Stats())
		require.NoError(t, stop())
	})
}

func TestADeadLetterKeepsItsAttributesTypesAndGroup(t *testing.T) {
	f := newFake(false)
	own := map[string]types.MessageAttributeValue{
		"trace": stringAttribute("t1"),
		"n":     {DataType: aws.String("Number.int"), StringValue: aws.String("7")},
		"raw":   {DataType: aws.String("Binary"), BinaryValue: []byte{0, 255}},
	}
	f.sendWith(t, "tenant", "x", own)
	handler := HandlerFunc(func(context.Context, Message) Result { return DeadLetter(errFake) })
	bubble(t, f, Options{Handler: handler}, func(_ *Worker, stop func() error) {
		time.Sleep(5 * time.Second)
		require.NoError(t, stop())
		require.Len(t, f.q.Dead(), 1)
		own[ReasonAttribute] = stringAttribute(errFake.Error())
		require.Equal(t, own, f.q.Dead()[0].Attributes)
		require.Equal(t, "tenant", f.q.Dead()[0].Group)
	})
}

// SQS takes a message of 1 MiB with its attributes, and the reason is one more.
func TestADeadLetterWithItsReasonIsNotTooLarge(t *testing.T) {
	trace := map[string]types.MessageAttributeValue{"trace": stringAttribute("t1"), "raw": {DataType: aws.String("Binary"), BinaryValue: []byte{0, 255}}}
	const rawSize, reasonSize = len("rawBinary") + 2, len(ReasonAttribute) + len("String")
	const reason = "ñandú"

	for room, want := range map[int][]string{
		0:                      {},
		rawSize:                {"raw"},
		reasonSize:             {"raw"}, // no room for a character of the reason
		reasonSize + 1:         {"raw"}, // the first one has two bytes
		reasonSize + 2:         {ReasonAttribute},
		reasonSize + 4:         {ReasonAttribute},
		reasonSize + 7:         {ReasonAttribute},
		reasonSize + 7 + 12:    {ReasonAttribute, "raw"},
		reasonSize + 7 + 24:    {ReasonAttribute, "raw", "trace"},
		reasonSize + 7 + 1_000: {ReasonAttribute, "raw", "trace"},
	} {
		body := make([]byte, maxSize-room)
		got := deadAttributes(body, trace, reason)
		names := slices.Sorted(maps.Keys(got))
		require.Equal(t, slices.Sorted(slices.Values(want)), names, room)

		size := len(body)
		for name, v := range got {
			size += attributeSize(name, v)
		}
		require.LessOrEqual(t, size, maxSize)
		if v, ok := got[ReasonAttribute]; ok {
			require.Equal(t, reason[:min(room-reasonSize, len(reason))], *v.StringValue)
		}
	}

	many := map[string]types.MessageAttributeValue{}
	for i := range 10 {
		many[fmt.Sprint(i)] = stringAttribute("x")
	}
	got := slices.Sorted(maps.Keys(deadAttributes(nil, many, reason)))
	require.Equal(t, []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", ReasonAttribute}, got, "SQS takes ten")
}

func TestAHandlerThatIsCutShortNeverDeadLetters(t *testing.T) {
	for name, o := range map[string]Options{
		"by the drain": {Visibility: 30 * time.Second},
		"by the loss":  {Visibility: 4 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(false)
			f.q.Send("x")
			began := make(chan struct{}, 10)
			o.Handler = HandlerFunc(func(ctx context.Context, _ Message) Result {
				began <- struct{}{}
				<-ctx.Done()
				return DeadLetter(errors.Join(errors.New("gave up"), ctx.Err()))
			})
			if name == "by the loss" {
				f.On("ChangeMessageVisibilityBatch", sqstest.Fail(errFake)) // every heartbeat fails
			}
			bubble(t, f, o, func(w *Worker, stop func() error) {
				<-began
				if name == "by the loss" {
					time.Sleep(5 * time.Second)
					require.Positive(t, w.Stats().Lost)
				}
				require.NoError(t, stop())
				require.Empty(t, f.q.Dead())
				require.Equal(t, 1, f.q.Len())
			})
		})
	}
}

func TestNewChecksTheOptions(t *testing.T) {
	good := Options{Client: newFake(false), Queue: "q", Handler: HandlerFunc(func(context.Context, Message) Result { return Done() })}
	_, err := New(good)
	require.NoError(t, err)
	_, err = New(Options{})
	require.ErrorContains(t, err, "Client, Queue and Handler are needed")

	for want, change := range map[string]func(o *Options){
		"Wait is 21s; allowed is whole seconds from 1 s to 20 s":           func(o *Options) { o.Wait = 21 * time.Second },
		"Wait is 1.5s; allowed is whole seconds from 1 s to 20 s":          func(o *Options) { o.Wait = 1500 * time.Millisecond },
		"Wait is -1s; allowed is whole seconds from 1 s to 20 s":           func(o *Options) { o.Wait = -time.Second },
		"HandleWithin is -1ns; allowed is above 0, or 0":                   func(o *Options) { o.HandleWithin = -1 },
		"Linger is -1ns; allowed is above 0, or 0":                         func(o *Options) { o.Linger = -1 },
		"Drain is -1ns; allowed is above 0, or 0":                          func(o *Options) { o.Drain = -1 },
		"Tries is -1; allowed is 0 to 999":                                 func(o *Options) { o.Tries, o.DeadLetterQueue = -1, "q-dlq" },
		"Tries is 1000; allowed is 0 to 999":                               func(o *Options) { o.Tries, o.DeadLetterQueue = 1000, "q-dlq" },
		"Tries is 5; allowed is 0 without a DeadLetterQueue":               func(o *Options) { o.Tries = 5 },
		"BatchSize is 11; allowed is 1 to 10":                              func(o *Options) { o.BatchSize = 11 },
		"Visibility is 13h0m0s; allowed is whole seconds from 2 s to 12 h": func(o *Options) { o.Visibility = 13 * time.Hour },
		"MaxInFlight is -1; allowed is 1 or more":                          func(o *Options) { o.MaxInFlight = -1 },
		"Visibility is 1s; allowed is whole seconds from 2 s to 12 h":      func(o *Options) { o.Visibility = time.Second },
		"Visibility is 2.5s; allowed is whole seconds from 2 s to 12 h":    func(o *Options) { o.Visibility = 2500 * time.Millisecond },
		"MaxPollers is -1; allowed is 1 or more":                           func(o *Options) { o.MaxPollers = -1 },
	} {
		o := good
		change(&o)
		_, err := New(o)
		require.ErrorContains(t, err, "sqsworker: Options."+want)
	}
}
