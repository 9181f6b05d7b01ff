package sqs

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"tandem/emulator/wire"
)

// SQS's errors have two names: the JSON protocol's, and the one of the query
// protocol before it, which the SDKs show (x-amzn-query-error).
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html

const queryPrefix = "AWS.SimpleQueueService."

func fail(status int, code, query, format string, args ...any) error {
	return &wire.Error{Status: status, Code: code, Query: query, Message: fmt.Sprintf(format, args...)}
}

// refused is an error whose query name is its name with a prefix.
func refused(code, format string, args ...any) error {
	return fail(400, code, queryPrefix+code, format, args...)
}

func invalid(format string, args ...any) error {
	return fail(400, "InvalidParameterValueException", "InvalidParameterValue", format, args...)
}

// invalidValue returns the error of invalid with AWS's usual beginning.
func invalidValue(parameter string, value any, reason string, args ...any) error {
	return invalid("Value %v for parameter %s is invalid. Reason: %s", value, parameter, fmt.Sprintf(reason, args...))
}

func missing(parameter string) error {
	return fail(400, "MissingRequiredParameterException", "MissingParameter", "The request must contain the parameter %s.", parameter)
}

func badName(name string) error {
	return fail(400, "InvalidAttributeName", "InvalidAttributeName", "Unknown Attribute %s.", name)
}

func badValue(name, reason string) error {
	return fail(400, "InvalidAttributeValue", "InvalidAttributeValue", "Invalid value for the parameter %s.%s", name, reason)
}

func noQueue() error {
	return fail(400, "QueueDoesNotExist", queryPrefix+"NonExistentQueue", "The specified queue does not exist.")
}

func noResource(parameter string) error {
	return fail(404, "ResourceNotFoundException", "ResourceNotFoundException",
		"The resource that you specified for the %s parameter doesn't exist.", parameter)
}

type batchError struct {
	ID          string `json:"Id"`
	Code        string
	Message     string
	SenderFault bool
}

// failedEntry returns what a batch answers about an entry that failed.
func failedEntry(id string, err error) batchError {
	e := batchError{ID: id, Code: "InternalError", Message: err.Error()}

	var w *wire.Error
	if errors.As(err, &w) {
		e.Code, e.Message, e.SenderFault = strings.TrimPrefix(w.Query, queryPrefix), w.Message, true
	}
	return e
}

type batchOut[T any] struct {
	Successful []T
	Failed     []batchError
}

const maxEntries = 10

var entryName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// checkBatch refuses entry ids, and numbers of them, that AWS refuses.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
func checkBatch(ids []string) error {
	if len(ids) == 0 {
		return refused("EmptyBatchRequest", "There should be at least one entry in the request.")
	}
	if len(ids) > maxEntries {
		return refused("TooManyEntriesInBatchRequest", "Maximum number of entries per request are %d. You have sent %d.", maxEntries, len(ids))
	}

	seen := map[string]bool{}
	for _, id := range ids {
		if !entryName.MatchString(id) {
			return refused("InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")
		}
		if seen[id] {
			return refused("BatchEntryIdsNotDistinct", "Id %s repeated.", id)
		}

		seen[id] = true
	}
	return nil
}
