package kinesis

import (
	"context"
	"errors"
	"os"

	"tandem/emulator/wire"
)

const (
	defaultRetention = 24   // hours
	defaultRecord    = 1024 // KiB
	largestRecord    = 10 * defaultRecord
)

type createIn struct {
	StreamName         string
	ShardCount         int32
	StreamModeDetails  *struct{ StreamMode string }
	MaxRecordSizeInKiB *int32
}

func (s *Service) createStream(_ context.Context, in createIn) (wire.Empty, error) {
	if in.StreamModeDetails != nil && in.StreamModeDetails.StreamMode != "PROVISIONED" {
		return wire.Empty{}, wire.Bad("UnsupportedOperation", "The emulator has no streams of mode %s.", in.StreamModeDetails.StreamMode)
	}

	n := &streamInfo{Name: in.StreamName, Retention: defaultRetention, MaxRecordKiB: defaultRecord}
	if in.MaxRecordSizeInKiB != nil {
		n.MaxRecordKiB = *in.MaxRecordSizeInKiB
	}

	return wire.Empty{}, s.create(n, int(in.ShardCount))
}

// Create creates a stream whose shards share the hash keys evenly.
func (s *Service) Create(name string, shards int, retentionHours int32) error {
	return s.create(&streamInfo{Name: name, Retention: retentionHours, MaxRecordKiB: defaultRecord}, shards)
}

func (s *Service) create(n *streamInfo, shards int) error {
	if err := errors.Join(checkName("streamName", n.Name), checkRetention(n.Retention), checkRecordSize(n.MaxRecordKiB)); err != nil {
		return err
	}
	if shards < 1 {
		return invalid("shardCount", "have value greater than or equal to 1")
	}
	if shards > maxShards {
		return tooManyShards(shards)
	}

	s.changing.Lock()
	defer s.changing.Unlock()
	if s.Has(n.Name) {
		return wire.Bad("ResourceInUseException", "Stream %s under account %s already exists.", n.Name, account)
	}

	st := &stream{}
	n.Created = s.nowMS()
	for i := range shards {
		end := boundary(i+1, shards).previous()
		n.addShard(&st.clock, n.Created, boundary(i, shards), end)
	}
	working, err := s.shardsOf(st, n)
	if err != nil {
		return err
	}

	// Saved before anyone can see it: a stream that was answered for must
	// survive a kill.
	if err := s.save(n.Name, n); err != nil {
		return err
	}
	st.replaceTopology(n, working)

	s.mu.Lock()
	defer s.mu.Unlock()
	s.streams[n.Name] = st
	return nil
}

func tooManyShards(n int) error {
	return wire.Bad("LimitExceededException", "%d shards would exceed the shard limit of %d of account %s.", n, maxShards, account)
}

type deleteIn struct {
	target
	EnforceConsumerDeletion bool
}

func (s *Service) deleteStream(_ context.Context, in deleteIn) (wire.Empty, error) {
	s.changing.Lock()
	defer s.changing.Unlock()

	st, err := s.find(in.target)
	if err != nil {
		return wire.Empty{}, err
	}
	name := st.info.Name // changing is locked: it does not change
	if len(st.info.Consumers) > 0 && !in.EnforceConsumerDeletion {
		return wire.Empty{}, wire.Bad("ResourceInUseException", "Stream %s under account %s has registered consumers: deregister them, or set EnforceConsumerDeletion.", name, account)
	}

	// Saved first: from here on a restart does not know the stream, and removes
	// its folder.
	if err := s.save(name, nil); err != nil {
		return wire.Empty{}, err
	}

	s.mu.Lock()
	delete(s.streams, name)
	s.mu.Unlock()

	// Puts that found the stream before hold this lock shared: they are over
	// once it is taken, and later ones see deleted.
	st.mu.Lock()
	st.deleted = true
	st.mu.Unlock()

	s.subs.end(func(by subscriber) bool { return by.stream == name }, noStream(name))
	if err := errors.Join(st.each((*shard).discard), os.RemoveAll(streamDir(s.o.Dir, st.info))); err != nil {
		s.o.Log.Warn("what is left of a stream was not removed", "stream", name, "err", err)
	}

	return wire.Empty{}, nil
}
