package points

import "tandem/services/internal/stream/shardreader"

// Decode reads the point that a record carries, for what reads the stream again. Whether
// it rises is the caller's to say. An error means that the record is no point: a Group
// has parked it.
func Decode(r shardreader.Record) (Arrival, error) { return decode(r.Shard, r) }
