package kinesis

import (
	"context"
	"fmt"

	"tandem/emulator/wire"
)

func checkRetention(hours int32) error {
	if hours < 24 || hours > 8760 {
		return wire.Bad("InvalidArgumentException", "Minimum allowed retention period is 24 hours, maximum 8760. Requested retention period (%d hours) is out of range.", hours)
	}
	return nil
}

func checkRecordSize(kib int32) error {
	if kib < defaultRecord || kib > largestRecord {
		return invalid("maxRecordSizeInKiB", fmt.Sprintf("have value between %d and %d", defaultRecord, largestRecord))
	}
	return nil
}

type retentionIn struct {
	target
	RetentionPeriodHours int32
}

func (s *Service) increaseRetention(_ context.Context, in retentionIn) (wire.Empty, error) {
	return wire.Empty{}, s.setRetention(in, func(now int32) bool { return in.RetentionPeriodHours >= now }, "shorter")
}

func (s *Service) decreaseRetention(_ context.Context, in retentionIn) (wire.Empty, error) {
	return wire.Empty{}, s.setRetention(in, func(now int32) bool { return in.RetentionPeriodHours <= now }, "longer")
}

func (s *Service) setRetention(in retentionIn, fits func(now int32) bool, not string) error {
	if err := checkRetention(in.RetentionPeriodHours); err != nil {
		return err
	}
	return s.change(in.target, func(_ *stream, next *streamInfo) error {
		if !fits(next.Retention) {
			return wire.Bad("InvalidArgumentException", "Requested retention period (%d hours) for stream %s can not be %s than existing retention period (%d hours).",
				in.RetentionPeriodHours, next.Name, not, next.Retention)
		}
		next.Retention = in.RetentionPeriodHours
		return nil
	})
}

// SetEncryption sets the KMS key with which the stream is encrypted; empty: none.
// Nothing is encrypted: descriptions and answers only say that it is.
func (s *Service) SetEncryption(streamName, keyID string) error {
	return s.change(target{StreamName: streamName}, func(_ *stream, next *streamInfo) error {
		next.KeyID = keyID
		return nil
	})
}
