package kinesisproducer

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
)

// Cause says, in a word, why the stream did not take a record.
type Cause string

// The causes. Only Refused is of the data; the others are of the stream or the way to it,
// which may pass, so the record is sent again for as long as somebody waits for it.
const (
	Throttled   Cause = "throttled"   // the stream, or its key, takes no more just now
	Missing     Cause = "missing"     // there is no such stream yet, or any more
	Denied      Cause = "denied"      // by the credentials, their expiry, their permissions, or the clock
	Encryption  Cause = "encryption"  // the stream's KMS key cannot be used
	Unavailable Cause = "unavailable" // no answer, a fault of the server, or one that is not known here
	Refused     Cause = "refused"     // the stream will never take it as it is
)

// CauseOf returns the cause of an error of PutRecords, or of one of its records, by the
// code that the SDK's error types carry. See PutRecords' and the common errors in
// docs.aws.amazon.com/kinesis/latest/APIReference.
func CauseOf(err error) Cause {
	// Without a code nobody has judged the data: the call did not come through.
	var api smithy.APIError
	if !errors.As(err, &api) {
		return Unavailable
	}

	code := api.ErrorCode()
	if _, throttled := retry.DefaultThrottleErrorCodes[code]; throttled {
		return Throttled
	}
	switch code {
	case "KMSThrottlingException":
		return Throttled
	case "ResourceNotFoundException", "ResourceInUseException":
		return Missing
	case "AccessDeniedException", "AccessDenied", "NotAuthorized", "OptInRequired",
		"ExpiredTokenException", "ExpiredToken", "RequestExpired", "InvalidClientTokenId", "UnrecognizedClientException",
		"InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignature", "IncompleteSignatureException",
		"MissingAuthenticationToken", "MissingAuthenticationTokenException":
		return Denied
	case "KMSAccessDeniedException", "KMSDisabledException", "KMSInvalidStateException", "KMSNotFoundException", "KMSOptInRequired":
		return Encryption
	case "InvalidArgumentException", "ValidationException":
		return Refused
	}
	return Unavailable
}

// refuse ends what the stream will never take: all that is behind it in its bucket would
// wait for ever. A record of several items is cut in two, until one item is alone;
// others' are not refused with it.
func (p *Producer) refuse(r *record, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := &p.queues[r.bucket]
	defer p.signal()

	// What was in flight goes back to the front, so the order holds. Part of it may be
	// stored by an earlier try: then it is a repeat, like that of the whole.
	if r.items > 1 {
		q.waiting = append(q.inFlight, q.waiting...)
		q.inFlight, q.atMost = nil, r.items/2
		return
	}

	it := q.inFlight[0]
	q.inFlight, q.atMost = nil, 0
	p.note(r.bucket, why)
	p.pending -= len(it.data)

	// The Put's items behind it leave with it: stored now, they would lie before this
	// one when the caller sends from acked on.
	p.withdraw(q, it.put)
	it.put.refused = fmt.Errorf("%w: %w", ErrRefused, why)
	close(it.put.settled)
	p.release(0)
}

// apart sends a record again in a call of at most company records. One in its call was
// refused, and the answer does not say which: the others are no worse than before.
func (p *Producer) apart(r *record, company int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r.company = company
	p.queues[r.bucket].retry = r
	p.signal()
}
