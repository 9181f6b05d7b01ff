package shardreader

import (
	"errors"
	"time"
)

// Start says where reading begins, and with Until or Through where it ends. It is
// returned by Horizon, Latest, At and After.
type Start struct {
	kind  startKind
	at    time.Time
	after map[string]Position // by shard; "" where a position names none

	bounded bool // by until or, where it is not nil, by through
	until   time.Time
	through map[string]Position // by shard
}

type startKind int

const (
	fromHorizon startKind = iota
	fromLatest
	fromTime
	fromPositions
)

// Horizon starts with the oldest record that is kept.
func Horizon() Start { return Start{} }

// Latest starts with what arrives from now on.
func Latest() Start { return Start{kind: fromLatest} }

// At starts with the first record that arrived at t or later.
func At(t time.Time) Start { return Start{kind: fromTime, at: t} }

// After starts each shard after its own position, and a shard without one with
// its oldest record. Of several positions of one shard the last counts; one
// whose Sequence is empty counts as none. Keep the position of a closed shard,
// too, as long as Shards lists it: without it, All reads the shard again before
// its children.
func After(positions ...Position) Start {
	s := Start{kind: fromPositions, after: map[string]Position{}}
	for _, p := range positions {
		if p.Sequence != "" {
			s.after[p.Shard] = p
		}
	}
	return s
}

// check refuses a position that could be of any shard: sequence numbers rise
// over the whole stream, so a foreign one would skip a shard's older records
// without a word. It refuses a span that is none, too.
func (s Start) check() error {
	_, nameless := s.after[""]
	if _, end := s.through[""]; nameless || end {
		return ErrNoShard
	}

	switch {
	case s.bounded && s.through == nil && s.until.IsZero():
		return errors.New("shardreader: Until has the zero time; allowed is a time after the start")
	case s.bounded && s.through == nil && s.kind == fromTime && s.until.Before(s.at):
		return errors.New("shardreader: Until lies before the time of At")
	}
	return nil
}

// of returns where one shard begins: after next, or, where that is empty, as
// kind says.
func (s Start) of(shard string) (kind startKind, next Position) {
	if p, ok := s.after[shard]; ok {
		return fromPositions, p
	}
	if s.kind == fromPositions {
		return fromHorizon, Position{Shard: shard}
	}
	return s.kind, Position{Shard: shard}
}
