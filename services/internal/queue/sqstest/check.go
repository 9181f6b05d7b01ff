package sqstest

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

// SQS's limits.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
const (
	maxSize       = 1 << 20 // bytes of a message, and of a batch
	maxBatch      = 10
	maxDelay      = 900 // s
	maxWait       = 20  // s
	maxAttributes = 10
)

// SQS's errors, with the codes that the SDK has them by: those of its query protocol.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
const prefix = "AWS.SimpleQueueService."

func invalid(format string, args ...any) error {
	return &smithy.GenericAPIError{Code: "InvalidParameterValue", Message: fmt.Sprintf(format, args...), Fault: smithy.FaultClient}
}

func missing(parameter string) error {
	return &smithy.GenericAPIError{Code: "MissingParameter", Message: "The request must contain the parameter " + parameter + ".", Fault: smithy.FaultClient}
}

func noQueue() error {
	return &types.QueueDoesNotExist{Message: aws.String("The specified queue does not exist."), ErrorCodeOverride: aws.String(prefix + "NonExistentQueue")}
}

func badReceipt(receipt string) error {
	return &types.ReceiptHandleIsInvalid{Message: aws.String(fmt.Sprintf("The input receipt handle %q is not a valid receipt handle.", receipt))}
}

func notInFlight() error {
	return &types.MessageNotInflight{Message: aws.String("The message referred to isn't in flight."), ErrorCodeOverride: aws.String(prefix + "MessageNotInflight")}
}

func tooLong(bytes int) error {
	return &types.BatchRequestTooLong{
		Message:           aws.String(fmt.Sprintf("Batch requests cannot be longer than %d bytes. You have sent %d bytes.", maxSize, bytes)),
		ErrorCodeOverride: aws.String(prefix + "BatchRequestTooLong"),
	}
}

// failedEntry is an error as a batch answers it: without the prefix.
func failedEntry(id string, err error) types.BatchResultErrorEntry {
	out := types.BatchResultErrorEntry{Id: &id, Code: aws.String("InternalError"), Message: aws.String(err.Error())}
	var api smithy.APIError
	if errors.As(err, &api) {
		out.Code, out.Message = aws.String(strings.TrimPrefix(api.ErrorCode(), prefix)), aws.String(api.ErrorMessage())
		out.SenderFault = true
	}
	return out
}

var entryID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// checkBatch returns the error that fails a whole batch for its entries.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
func checkBatch(entries []Entry) error {
	coded := func(code string) *string { return aws.String(prefix + code) }
	if len(entries) == 0 {
		return &types.EmptyBatchRequest{Message: aws.String("There should be at least one entry in the request."), ErrorCodeOverride: coded("EmptyBatchRequest")}
	}
	if n := len(entries); n > maxBatch {
		return &types.TooManyEntriesInBatchRequest{
			Message: aws.String(fmt.Sprintf("Maximum number of entries per request are %d. You have sent %d.", maxBatch, n)), ErrorCodeOverride: coded("TooManyEntriesInBatchRequest"),
		}
	}

	seen := map[string]bool{}
	for _, e := range entries {
		if !entryID.MatchString(e.ID) {
			return &types.InvalidBatchEntryId{
				Message:           aws.String("A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long."),
				ErrorCodeOverride: coded("InvalidBatchEntryId"),
			}
		}
		if seen[e.ID] {
			return &types.BatchEntryIdsNotDistinct{Message: aws.String("Id " + e.ID + " repeated."), ErrorCodeOverride: coded("BatchEntryIdsNotDistinct")}
		}
		seen[e.ID] = true
	}
	return nil
}

func checkReceive(in *sqs.ReceiveMessageInput) error {
	switch {
	case in.MaxNumberOfMessages < 0 || in.MaxNumberOfMessages > maxBatch:
		return invalid("Value %d for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.", in.MaxNumberOfMessages)
	case in.WaitTimeSeconds < 0 || in.WaitTimeSeconds > maxWait:
		return invalid("Value %d for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.", in.WaitTimeSeconds)
	case in.VisibilityTimeout < 0 || in.VisibilityTimeout > int32(maxVisibility.Seconds()):
		return invalid("Value %d for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds]", in.VisibilityTimeout)
	}
	return nil
}

// checkFIFO returns the error of a message that fails the whole of its batch.
func (q *Queue) checkFIFO(in entry) error {
	switch {
	case !q.fifo && in.deduplication != "":
		return invalid("Value %s for parameter MessageDeduplicationId is invalid. Reason: The request include parameter that is not valid for this queue type.", in.deduplication)
	case q.fifo && in.group == "":
		return missing("MessageGroupId")
	case q.fifo && in.deduplication == "" && !q.set.ContentDeduplication:
		return invalid("The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
	}
	return nil
}

var (
	fifoID        = regexp.MustCompile("^[0-9A-Za-z!\"#$%&'()*+,./:;<=>?@\\[\\\\\\]^_`{|}~-]{1,128}$")
	attributeName = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)
	attributeType = regexp.MustCompile(`^(String|Number|Binary)(\..*)?$`)
)

// check returns the error of a message that SQS does not take.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
func (q *Queue) check(in entry) error {
	switch {
	case in.body == "":
		return missing("MessageBody")
	case in.size() > q.set.maximumSize():
		return invalid("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", q.set.maximumSize())
	case strings.ContainsFunc(in.body, forbidden) || !utf8.ValidString(in.body):
		return &types.InvalidMessageContents{Message: aws.String("Invalid characters found.")}
	case in.delay < 0 || in.delay > maxDelay, q.fifo && in.delay != 0:
		return invalid("Value %d for parameter DelaySeconds is invalid.", in.delay)
	case in.group != "" && !fifoID.MatchString(in.group):
		return invalid("Value %s for parameter MessageGroupId is invalid.", in.group)
	case in.deduplication != "" && !fifoID.MatchString(in.deduplication):
		return invalid("Value %s for parameter MessageDeduplicationId is invalid.", in.deduplication)
	case len(in.attributes) > maxAttributes:
		return invalid("Number of message attributes [%d] exceeds the allowed maximum [10].", len(in.attributes))
	}

	for name, a := range in.attributes {
		text, lower := aws.ToString(a.StringValue), strings.ToLower(name)
		switch {
		case len(name) > 256 || !attributeName.MatchString(name) || strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon."):
			return invalid("Message (user) attribute name '%s' is invalid.", name)
		case !attributeType.MatchString(aws.ToString(a.DataType)):
			return invalid("The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", name)
		case text == "" && len(a.BinaryValue) == 0:
			return invalid("Message (user) attribute '%s' must contain a non-empty value.", name)
		case strings.ContainsFunc(text, forbidden):
			return invalid("Invalid characters found in the message (user) attribute '%s'.", name)
		}
	}
	return nil
}

// forbidden reports whether a message may not contain r.
func forbidden(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
}

// size is what counts towards the limit: the body, and each attribute's name, type and
// value.
func (e entry) size() int {
	n := len(e.body)
	for name, a := range e.attributes {
		n += len(name) + len(aws.ToString(a.DataType)) + len(aws.ToString(a.StringValue)) + len(a.BinaryValue)
	}
	return n
}
