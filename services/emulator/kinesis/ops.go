package kinesis

import "tandem/services/emulator/wire"

// Ops gives the operations.
func (s *Service) Ops() map[string]wire.Op {
	return map[string]wire.Op{
		"CreateStream":                  wire.Handle(s.createStream),
		"DeleteStream":                  wire.Handle(s.deleteStream),
		"ListStreams":                   wire.Handle(s.listStreams),
		"DescribeStream":                wire.Handle(s.describe),
		"DescribeStreamSummary":         wire.Handle(s.summary),
		"DescribeLimits":                wire.Handle(s.limits),
		"ListShards":                    wire.Handle(s.listShards),
		"SplitShard":                    wire.Handle(s.split),
		"MergeShards":                   wire.Handle(s.merge),
		"UpdateShardCount":              wire.Handle(s.updateShardCount),
		"IncreaseStreamRetentionPeriod": wire.Handle(s.increaseRetention),
		"DecreaseStreamRetentionPeriod": wire.Handle(s.decreaseRetention),
		"UpdateMaxRecordSize":           wire.Handle(s.setRecordSize),
		"StartStreamEncryption":         wire.Handle(s.startEncryption),
		"StopStreamEncryption":          wire.Handle(s.stopEncryption),
		"AddTagsToStream":               wire.Handle(s.addTags),
		"RemoveTagsFromStream":          wire.Handle(s.removeTags),
		"ListTagsForStream":             wire.Handle(s.listTags),
		"RegisterStreamConsumer":        wire.Handle(s.registerConsumer),
		"DeregisterStreamConsumer":      wire.Handle(s.deregisterConsumer),
		"DescribeStreamConsumer":        wire.Handle(s.describeConsumer),
		"ListStreamConsumers":           wire.Handle(s.listConsumers),
		"PutRecord":                     wire.Handle(s.putRecord),
		"PutRecords":                    wire.Handle(s.putRecords),
		"GetShardIterator":              wire.Handle(s.iterator),
		"GetRecords":                    wire.Handle(s.getRecords),
		"SubscribeToShard":              wire.Handle(s.subscribe),
	}
}
