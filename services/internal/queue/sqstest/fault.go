package sqstest

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Fault is something that goes wrong with a call. Fail, LoseAnswer, Hang, Slow,
// SlowAnswer, RefuseEntries and SkipEntries return one, and On plans it.
type Fault struct {
	before  func(context.Context) error // an error: the call does nothing
	after   func(context.Context) error // an error: it is done, and the caller does not get to know
	entries func(Entry) bool
	refusal types.BatchResultErrorEntry // of these entries; no code: they are not answered for
	done    bool                        // although they are not answered for

	when  func(Call) bool
	times int
}

// On plans what goes wrong with the calls of an operation, in place of what was planned
// for it; without faults all goes well again. All that apply to a call happen to it, one
// after the other, up to the one that ends it. A call that is under way is left alone.
// It panics if there is no such operation.
func (f *SQS) On(operation string, faults ...Fault) {
	mustKnow(operation)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults[operation] = nil
	for _, one := range faults {
		f.faults[operation] = append(f.faults[operation], &planned{Fault: one})
	}
}

// Fail fails the call before it has done anything.
func Fail(err error) Fault {
	return Fault{before: func(context.Context) error { return err }}
}

// LoseAnswer fails the call after the fact: SQS has done what it was asked, and the
// caller gets err.
func LoseAnswer(err error) Fault {
	return Fault{after: func(context.Context) error { return err }}
}

// Hang does nothing until the call's ctx ends, whose error the caller gets.
func Hang() Fault {
	return Fault{before: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
}

// Slow has the call begin its work after d. If ctx ends before, it is not done.
func Slow(d time.Duration) Fault {
	return Fault{before: func(ctx context.Context) error { return sleep(ctx, d) }}
}

// SlowAnswer has the call do its work, and answer d later. If ctx ends before, the
// caller gets ctx's error although it is done.
func SlowAnswer(d time.Duration) Fault {
	return Fault{after: func(ctx context.Context) error { return sleep(ctx, d) }}
}

// Then calls do after the work and before the answer: here a test stops its process,
// ends a session, or waits.
func Then(do func()) Fault {
	return Fault{after: func(context.Context) error { do(); return nil }}
}

// RefuseEntries has a batch fail in part: those of its entries fail with code, and the
// others do not. senderFault says whether the sender is at fault, so that another try
// would not help.
func RefuseEntries(code string, senderFault bool, which func(Entry) bool) Fault {
	return Fault{entries: which, refusal: types.BatchResultErrorEntry{Code: &code, Message: aws.String("refused by the test"), SenderFault: senderFault}}
}

// SkipEntries has a batch say nothing of some of its entries, neither that they
// succeeded nor that they failed. done says whether they were taken all the same.
func SkipEntries(done bool, which func(Entry) bool) Fault {
	return Fault{entries: which, done: done}
}

// Body selects the entries of a message by its body, for RefuseEntries and SkipEntries.
func Body(body string) func(Entry) bool {
	return func(e Entry) bool { return e.Body == body }
}

// Times has the fault happen to the first n calls that it applies to, and then no more.
func (f Fault) Times(n int) Fault {
	f.times = n
	return f
}

// When has the fault happen to some calls alone. ok is called once for each call, by
// the caller's goroutine.
func (f Fault) When(ok func(Call) bool) Fault {
	f.when = ok
	return f
}

// planned is a fault that On planned.
type planned struct {
	Fault
	used int // by so many calls
}

// fate is what happens to one call: its faults in their order, and those of its entries.
type fate struct {
	call    []Fault
	entries map[int]Fault // by the entry's index
}

// fateOf asks each fault once whether it happens to the call, because its answer may be
// drawn by lot.
func (f *SQS) fateOf(c Call, faults []*planned) fate {
	all := fate{entries: map[int]Fault{}}
	for _, p := range faults {
		if p.when != nil && !p.when(c) {
			continue
		}

		var hit []int
		for i, e := range c.Entries {
			if _, taken := all.entries[i]; !taken && p.entries != nil && p.entries(e) {
				hit = append(hit, i)
			}
		}
		if p.entries != nil && len(hit) == 0 || !f.use(p) {
			continue
		}
		all.call = append(all.call, p.Fault)
		for _, i := range hit {
			all.entries[i] = p.Fault
		}
	}
	return all
}

// use counts one more call of a fault, and reports whether it had one left.
func (f *SQS) use(p *planned) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p.times > 0 && p.used == p.times {
		return false
	}
	p.used++
	return true
}

// meet does the work of a call in the midst of its faults.
func meet[Out any](ctx context.Context, happens fate, work func() (*Out, error)) (*Out, error) {
	for _, f := range happens.call {
		if f.before == nil {
			continue
		}
		if err := f.before(ctx); err != nil {
			return nil, err
		}
	}

	out, err := work()
	for _, f := range happens.call {
		if f.after == nil {
			continue
		}
		if err := f.after(ctx); err != nil {
			return nil, err
		}
	}
	return out, err
}

// sleep waits for d, or until ctx ends, whose error it returns.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
