package notification

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// snsSender sends texts by SNS Publish. SNS answers when it has accepted a text,
// not when it has reached the phone.
type snsSender struct{ client *sns.Client }

// Send implements smsSender.
func (s snsSender) Send(ctx context.Context, to phone, text string) (string, error) {
	out, err := s.client.Publish(ctx, &sns.PublishInput{PhoneNumber: aws.String(string(to)), Message: &text})
	if err == nil {
		return aws.ToString(out.MessageId), nil
	}

	// These two say that the number or the text is wrong, which stays so; anything
	// else may pass.
	var parameter *types.InvalidParameterException
	var value *types.InvalidParameterValueException
	if errors.As(err, &parameter) || errors.As(err, &value) {
		return "", fmt.Errorf("%w: SNS refused its parameters", errNeverDelivered)
	}
	return "", fmt.Errorf("notification: publish: %w", err)
}
