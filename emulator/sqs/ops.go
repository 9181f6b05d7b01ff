package sqs

import (
	"context"
	"strings"

	"tandem/emulator/wire"
)

// Ops returns the operations by name; base returns the address that a client
// reached the emulator at, which its queue URLs begin with.
func (s *Service) Ops(base func(context.Context) string) map[string]wire.Op {
	url := func(ctx context.Context, name string) string { return URL(base(ctx), name) }
	return map[string]wire.Op{
		"CreateQueue": wire.Handle(func(ctx context.Context, in createIn) (urlOut, error) {
			return urlOut{url(ctx, in.QueueName)}, s.createQueue(in)
		}),
		"GetQueueUrl": wire.Handle(func(ctx context.Context, in createIn) (urlOut, error) {
			return urlOut{url(ctx, in.QueueName)}, s.withQueue("/"+in.QueueName, func(*queue) error { return nil })
		}),
		"ListQueues": wire.Handle(func(ctx context.Context, in listIn) (listOut, error) {
			return s.list(in, func(q *queue) bool { return strings.HasPrefix(q.name, in.QueueNamePrefix) },
				func(name string) string { return url(ctx, name) })
		}),
		"ListDeadLetterSourceQueues": wire.Handle(func(ctx context.Context, in listIn) (sourcesOut, error) {
			var arn string
			if err := s.withQueue(in.QueueURL, func(q *queue) error { arn = q.arn; return nil }); err != nil {
				return sourcesOut{}, err
			}

			out, err := s.list(in, func(q *queue) bool { return q.set.redrive.Target == arn }, func(name string) string { return url(ctx, name) })
			return sourcesOut{append([]string{}, out.QueueUrls...), out.NextToken}, err
		}),

		"DeleteQueue":                  wire.Handle(s.deleteQueue),
		"PurgeQueue":                   wire.Handle(s.purge),
		"GetQueueAttributes":           wire.Handle(s.getAttributes),
		"SetQueueAttributes":           wire.Handle(s.setAttributes),
		"SendMessage":                  whole(wire.Handle(s.send)),
		"SendMessageBatch":             whole(wire.Handle(s.sendBatch)),
		"ReceiveMessage":               wire.Handle(s.receive),
		"DeleteMessage":                wire.Handle(s.deleteMessage),
		"DeleteMessageBatch":           wire.Handle(s.deleteBatch),
		"ChangeMessageVisibility":      wire.Handle(s.changeVisibility),
		"ChangeMessageVisibilityBatch": wire.Handle(s.changeBatch),
		"StartMessageMoveTask":         wire.Handle(s.startMove),
		"ListMessageMoveTasks":         wire.Handle(s.listMoves),
		"CancelMessageMoveTask":        wire.Handle(s.cancelMove),
	}
}

// whole refuses a send whose text is no Unicode, as SQS does by this name: it could
// not be delivered as it was sent.
func whole(send wire.Op) wire.Op {
	return func(ctx context.Context, body []byte) (any, error) {
		if !wire.Unicode(body) {
			return nil, fail(400, "InvalidMessageContents", "InvalidMessageContents", allowedCharacters)
		}
		return send(ctx, body)
	}
}

type createIn struct {
	QueueName  string
	Attributes map[string]string
}

type urlOut struct {
	QueueURL string `json:"QueueUrl"`
}

type listIn struct {
	QueueURL        string `json:"QueueUrl"`
	QueueNamePrefix string
	MaxResults      *int
	NextToken       string
}

type listOut struct {
	QueueUrls []string `json:",omitempty"`
	NextToken string   `json:",omitempty"`
}

type sourcesOut struct {
	QueueURLs []string `json:"queueUrls"`
	NextToken string   `json:",omitempty"`
}

type queueIn struct {
	QueueURL string `json:"QueueUrl"`
}
