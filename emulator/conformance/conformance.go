// Package conformance is what an endpoint of SQS, Kinesis, SNS and STS
// promises, as one suite through the unmodified AWS SDK. The emulator and its
// clients were written by the same people, so no case rests on the emulator:
// each names the AWS page that it rests on and what that page says, and all but
// the slowest run on LocalStack too.
//
//   - A case (testCase) is one promise, with its page and a function that fails
//     where the endpoint does otherwise. A caseRun is a case while it runs.
//   - A refusal is a row of a service's table: the values that one call refuses.
//     Each of these values is a case.
//   - A difference is what an endpoint (the emulator, LocalStack, AWS) is known
//     to do instead. Its case must fail, and not because a call of its
//     preparation failed: if it passes, the suite fails. So the table in
//     docs/backends.md never claims more than is true.
//
// How to run it:
//
//	go test ./emulator/conformance                             the emulator in this process
//	CONFORMANCE_ENDPOINT=http://127.0.0.1:4566 go test ...     LocalStack
//	CONFORMANCE_BACKEND=aws go test ...                        AWS, with the default credentials
//
// Names are unique and a case deletes what it creates, so an endpoint may be
// shared. On AWS a run costs money: it creates about 100 streams, and each
// costs a shard-hour or more.
package conformance

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Backend is who answers at an endpoint.
type Backend string

// The backends that the suite knows.
const (
	Emulator   Backend = "emulator"
	LocalStack Backend = "localstack"
	AWS        Backend = "aws"
)

// Endpoint is one of them, and how it is set.
type Endpoint struct {
	Backend  Backend
	Endpoint string // base URL; empty is AWS itself
	Region   string // empty: the SDK's own, us-east-1 at an Endpoint
	// Unlimited says that throughput limits are off.
	Unlimited bool
	// IteratorLife is how long a shard iterator may be used; 0 is AWS's 5
	// minutes.
	IteratorLife time.Duration
	// Slow also runs the cases that take minutes.
	Slow bool
}

// testCase is one promise.
type testCase struct {
	name string         // what is promised, in a sentence
	page string         // the AWS page that it rests on
	says string         // what AWS documents there
	run  func(*caseRun) // fails where the endpoint does otherwise
	tags []tag
}

// tag is what a case needs in order to mean something.
type tag int

const (
	needsLimits         tag = iota // throughput limits are on
	needsShortIterators            // or time to wait for AWS's 5 minutes
	slow                           // minutes to wait
	alone                          // nothing beside it: it measures time
)

func promise(name, page, says string, run func(*caseRun), tags ...tag) testCase {
	return testCase{name, page, says, run, tags}
}

// The roots of the pages.
const (
	sqsAPI       = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/"
	sqsGuide     = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/"
	kinesisAPI   = "https://docs.aws.amazon.com/kinesis/latest/APIReference/"
	kinesisGuide = "https://docs.aws.amazon.com/streams/latest/dev/"
	snsAPI       = "https://docs.aws.amazon.com/sns/latest/api/"
	snsGuide     = "https://docs.aws.amazon.com/sns/latest/dg/"
	stsAPI       = "https://docs.aws.amazon.com/STS/latest/APIReference/"
)

func cases() (all []testCase) {
	for _, group := range [][]testCase{
		messageCases(), metadataCases(), visibilityCases(), batchCases(), queueCases(), deadLetterCases(), moveCases(), fifoCases(),
		refusalCases(sqsRefusals()),
		streamCases(), putCases(), getCases(), reshardCases(), consumerCases(), subscribeCases(),
		refusalCases(kinesisRefusals()),
		snsCases(), refusalCases(snsRefusals()), commonCases(),
	} {
		all = append(all, group...)
	}
	return all
}

// Run runs every case against the endpoint.
func Run(t *testing.T, at Endpoint) {
	t.Helper()
	clients, err := connect(t.Context(), at)
	require.NoError(t, err)
	clients.awaitReady(t, at)
	known := map[string]difference{}
	for _, d := range differences() {
		if d.backend == at.Backend {
			known[d.name] = d
		}
	}

	var tally tally
	t.Cleanup(func() { t.Logf("conformance of %s: %s", at.Backend, &tally) })

	for _, k := range cases() {
		t.Run(k.name, func(t *testing.T) {
			if !slices.Contains(k.tags, alone) {
				t.Parallel()
			}

			d, differs := known[k.name]

			// What this endpoint cannot show says nothing about it, and a
			// difference without a try is told by the table alone.
			if why := skipReason(k, at); why != "" {
				tally.add(skipped)
				t.Skip(why)
			}
			if d.skip {
				tally.add(different)
				t.Skipf("%s differs, and is not tried: %s", at.Backend, d.instead)
			}

			failures := runCase(t, at, clients, k)
			switch {
			case differs && len(failures) == 0:
				t.Errorf("%s passes: remove it from the table of differences (%s)", at.Backend, d.instead)
			// The case failed before it came to its subject, so nothing is
			// known of the difference.
			case differs && strings.Contains(failures[0], "Received unexpected error"):
				tally.add(failed)
				t.Errorf("%s doesn't come as far as to differ: %s", at.Backend, failures[0])
			case differs:
				tally.add(different)
				t.Skipf("%s differs: %s\nseen: %s", at.Backend, d.instead, failures[0])
			case len(failures) > 0:
				tally.add(failed)
				t.Errorf("AWS: %s (%s)", k.says, k.page)
				for _, f := range failures {
					t.Error(f)
				}
			default:
				tally.add(passed)
			}
		})
	}
}

// skipReason says why k can't be asked of an endpoint that is set like this.
func skipReason(k testCase, at Endpoint) string {
	for _, tag := range k.tags {
		switch {
		case tag == needsLimits && at.Unlimited:
			return "throughput limits are off"
		case tag == slow && !at.Slow, tag == needsShortIterators && at.IteratorLife == 0 && !at.Slow:
			return "takes minutes: CONFORMANCE_SLOW=1 runs it"
		}
	}

	return ""
}

// runCase runs one case to its end, in a goroutine that it may leave.
func runCase(t *testing.T, at Endpoint, clients clients, k testCase) []string {
	ctx, cancel := context.WithTimeout(t.Context(), maxRun(at))
	defer cancel()

	c := &caseRun{clients: clients, t: t, ctx: ctx, at: at}
	// FailNow ends the goroutine that it is called in, as testify wants it, and
	// this one has to go on.
	done := make(chan struct{})
	go func() {
		defer close(done)
		k.run(c)
	}()
	<-done
	return c.failures
}

// maxRun is how long a case may take.
func maxRun(at Endpoint) time.Duration {
	if at.Slow {
		return 7 * time.Minute
	}
	return 2 * time.Minute
}

type outcome int

const (
	passed outcome = iota
	failed
	different
	skipped
)

// tally counts outcomes.
type tally struct {
	mu sync.Mutex
	n  [4]int
}

func (t *tally) add(o outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n[o]++
}

func (t *tally) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return fmt.Sprintf("%d passed, %d failed, %d differ as the table says, %d skipped", t.n[passed], t.n[failed], t.n[different], t.n[skipped])
}
