"""Reads and writes aggregated records with boto3 and AWS's module for them.

One command a line on standard input, as JSON, and one line for each on standard
output. Data is in base64. aggregation_test.go asks:

    {"do": "read", "stream": NAME}
        the user records of every shard, oldest first, a parent's before its children's
    {"do": "put", "stream": NAME, "call": "PutRecord" or "PutRecords", "records": [{"key", "hashKey", "data"}, ...]}
        where the stream has put each aggregate, and how many user records that holds
"""

import base64
import json
import sys
import time

import boto3
from aws_kinesis_agg.aggregator import RecordAggregator
from aws_kinesis_agg.deaggregator import iter_deaggregate_records

AGGREGATE_MAX = 4096  # bytes, so that there are several

kinesis = boto3.client("kinesis")


def read(stream):
    return [r for shard in kinesis.list_shards(StreamName=stream)["Shards"] for r in read_shard(stream, shard["ShardId"])]


def read_shard(stream, shard):
    it = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    while it:
        out = kinesis.get_records(ShardIterator=it)
        for r in iter_deaggregate_records(out["Records"], data_format="Boto3"):
            r = r["kinesis"]
            # The module encodes what it has unpacked, and nothing else.
            aggregated = r.get("aggregated", False)
            data = r["data"] if aggregated else base64.b64encode(r["data"])
            yield {"shard": shard, "sequence": r["sequenceNumber"], "sub": r.get("subSequenceNumber", 0), "key": r["partitionKey"],
                   "hashKey": r.get("explicitHashKey"), "aggregated": aggregated, "data": data.decode()}
        if not out["Records"] and out["MillisBehindLatest"] == 0:
            return
        it = out.get("NextShardIterator")
        time.sleep(0.2)  # a shard takes five calls a second


def put(stream, call, records):
    packer = RecordAggregator(AGGREGATE_MAX)
    full = [packer.add_user_record(r["key"], base64.b64decode(r["data"]), r["hashKey"] or None) for r in records]
    aggregates = [a for a in [*full, packer.clear_and_get()] if a]

    entries = []
    for a in aggregates:
        key, hash_key, data = a.get_contents()
        entries.append({"PartitionKey": key, "Data": data, **({"ExplicitHashKey": hash_key} if hash_key else {})})
    if call == "PutRecord":
        placed = [kinesis.put_record(StreamName=stream, **e) for e in entries]
    else:
        out = kinesis.put_records(StreamName=stream, Records=entries)
        assert out["FailedRecordCount"] == 0, out
        placed = out["Records"]
    return [{"shard": p["ShardId"], "sequence": p["SequenceNumber"], "n": a.get_num_user_records()} for a, p in zip(aggregates, placed)]


for line in sys.stdin:
    command = json.loads(line)
    print(json.dumps({"read": read, "put": put}[command.pop("do")](**command)), flush=True)
