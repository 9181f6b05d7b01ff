package sqsworker

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/queue/sqstest"
)

func TestCompareQueueWithOptions(t *testing.T) {
	o := Options{Queue: "q", DeadLetterQueue: "q-dlq", Tries: 5, Visibility: 30 * time.Second, VisibilitySetting: "Visibility in messaging.yaml"}
	attributes := func(visibility, policy string) map[string]string {
		return map[string]string{"VisibilityTimeout": visibility, "RedrivePolicy": policy}
	}
	const right = `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:0:q-dlq","maxReceiveCount":6}`
	for name, c := range map[string]struct {
		change     func(*Options)
		attributes map[string]string
		want       string // advice; empty: no difference
	}{
		"right":               {attributes: attributes("30", right)},
		"more visibility":     {attributes: attributes("31", right)},
		"a count as a string": {attributes: attributes("30", strings.Replace(right, "6", `"6"`, 1))},
		"too little visibility": {attributes: attributes("29", right),
			want: "queue q has a visibility of 29 s, and this worker needs at least 30 s: set Visibility in messaging.yaml to 30"},
		"no redrive":                  {attributes: map[string]string{"VisibilityTimeout": "30"}, want: "has no redrive policy"},
		"another DLQ":                 {attributes: attributes("30", strings.Replace(right, "q-dlq", "x", 1)), want: "dead letters to x, and this worker sends them to q-dlq"},
		"none is left for the reason": {attributes: attributes("30", strings.Replace(right, "6", "5", 1)), want: "maxReceiveCount of 5, and this worker handles a message up to 5 times and then needs a receive to write why: set it to more than 5"},
		"any tries do":                {change: func(o *Options) { o.Tries = 0 }, attributes: attributes("30", strings.Replace(right, "6", "3", 1))},
		"none is asked for": {change: func(o *Options) { o.DeadLetterQueue, o.Tries = "", 0 },
			attributes: map[string]string{"VisibilityTimeout": "30"}},
	} {
		mine := o
		if c.change != nil {
			c.change(&mine)
		}

		target, err := mine.compare(c.attributes)
		if c.want == "" {
			require.NoError(t, err, name)
			require.Equal(t, mine.DeadLetterQueue, target, name)
			continue
		}

		var wrong *SetupError
		require.ErrorAs(t, err, &wrong, name)
		require.Contains(t, wrong.Advice(), c.want, name)
	}

	_, err := o.compare(attributes("30", "{"))
	require.ErrorContains(t, err, "redrive policy")
	_, err = o.compare(nil)
	require.ErrorContains(t, err, "does not tell")
}

func TestAWrongSetupTakesNothingAndIsLoggedOnce(t *testing.T) {
	f, log := newFake(false), &bytes.Buffer{}
	f.q.Send("x")
	small := f.settings
	small.Visibility = 10 * time.Second
	f.Queue(f.name, small)

	o := Options{Log: slog.New(slog.NewTextHandler(log, nil)), Handler: HandlerFunc(func(context.Context, Message) Result { return Done() })}
	bubble(t, f, o, func(w *Worker, _ func() error) {
		after(time.Minute)
		require.ErrorContains(t, w.Ready(), "visibility of 10 s")
		require.Empty(t, f.Calls("ReceiveMessage"))
		require.Less(t, len(f.Calls("GetQueueAttributes")), 30, "it backs off")
		require.Equal(t, 1, strings.Count(log.String(), "level=ERROR"), log.String())

		f.Queue(f.name, f.settings)
		after(20 * time.Second)
		require.NoError(t, w.Ready())
		require.Zero(t, f.q.Len())
	})
}

func TestTheQueueIsCheckedAgainAfterAFailedReceive(t *testing.T) {
	f := newFake(false)
	bubble(t, f, Options{Handler: HandlerFunc(func(context.Context, Message) Result { return Done() })}, func(w *Worker, _ func() error) {
		after(30 * time.Second)
		require.NoError(t, w.Ready())

		f.Queue(f.name, sqstest.Settings{}) // with other settings
		f.On("ReceiveMessage", sqstest.Fail(context.DeadlineExceeded).Times(1))
		f.q.Send("x")

		after(time.Minute)
		require.ErrorContains(t, w.Ready(), "no redrive policy")
	})
}
