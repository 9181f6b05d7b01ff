package sqs

import (
	"context"
	"strings"
)

// Attribute is a message attribute.
type Attribute = attribute

// Deliver sends a message to the queue of an ARN, as another service of the
// emulator does: with all that SendMessage checks, and journalled when it
// returns.
func (s *Service) Deliver(ctx context.Context, queueARN, body, group string, attributes map[string]Attribute) error {
	name := queueARN[strings.LastIndexByte(queueARN, ':')+1:]
	_, err := s.send(ctx, sendIn{QueueUrl: "/" + name, MessageBody: body, MessageGroupID: group, MessageAttributes: attributes})
	return err
}
