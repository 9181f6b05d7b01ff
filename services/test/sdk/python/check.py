"""Drives the emulator with boto3 and the AWS CLI, as a stranger would.

The emulator was written beside Go clients; these two read AWS's models of the
services by themselves, parse dates, event streams and errors in their own way
and refuse what does not fit. Each client has its defaults: the environment names
endpoint, region and keys. One line a check; exit 1 if one failed.

    AWS_ENDPOINT_URL=http://127.0.0.1:4566 AWS_DEFAULT_REGION=us-east-1 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test python3 check.py
"""

import json
import os
import subprocess
import sys
import threading
import time
import uuid

import awscli
import boto3

ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
CHECKS = []


def check(f):
    CHECKS.append(f)
    return f


sqs, kinesis, sns, sts = (boto3.client(service) for service in ("sqs", "kinesis", "sns", "sts"))


def unique(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def eventually(what, f, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if got := f():
            return got
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds} s")


def refused(code, f, *args, **kwargs):
    try:
        f(*args, **kwargs)
    except Exception as e:  # the type is made at run time, from the code
        got = getattr(e, "response", {}).get("Error", {}).get("Code", repr(e))
        status = e.response["ResponseMetadata"]["HTTPStatusCode"]
        assert got == code and 400 <= status < 500, f"{got} with status {status}, want {code}"
        assert len(e.response["ResponseMetadata"]["RequestId"]) == 36, e.response
        return e
    raise AssertionError(f"must be refused with {code}")


def aws(*args):
    """One AWS CLI command's answer. Version 1 heeds AWS_ENDPOINT_URL for every service but sqs."""
    endpoint = ["--endpoint-url", ENDPOINT] if args[0] == "sqs" else []
    command = [sys.executable, "-m", "awscli", *endpoint, "--output", "json", *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"aws {' '.join(args)}: {done.stderr.strip()}"
    return json.loads(done.stdout) if done.stdout.strip() else None


def queue(suffix="", **attributes):
    url = sqs.create_queue(QueueName=unique("sdk") + suffix, Attributes=attributes)["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def receive(url, **kwargs):
    asked = {"MaxNumberOfMessages": 10, "WaitTimeSeconds": 5, "MessageAttributeNames": ["All"], "MessageSystemAttributeNames": ["All"]}
    return sqs.receive_message(QueueUrl=url, **{**asked, **kwargs}).get("Messages", [])


def stream(shards=1):
    name = unique("sdk")
    kinesis.create_stream(StreamName=name, ShardCount=shards)
    kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})
    return name, kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]


# ------------------------------------------------------------------ SQS
@check
def sqs_send_receive_delete():
    """boto3 checks the MD5 of the body by itself"""
    url, _ = queue()
    sent = sqs.send_message(QueueUrl=url, MessageBody="hello ∑", MessageAttributes={
        "kind": {"DataType": "String", "StringValue": "x"}, "blob": {"DataType": "Binary", "BinaryValue": b"\0\xff"}})
    [m] = receive(url)
    assert (m["MessageId"], m["Body"]) == (sent["MessageId"], "hello ∑"), m
    assert m["MessageAttributes"]["blob"]["BinaryValue"] == b"\0\xff", m
    assert m["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"], m
    assert m["Attributes"]["ApproximateReceiveCount"] == "1", m
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"], VisibilityTimeout=0)
    [again] = receive(url)
    assert again["Attributes"]["ApproximateReceiveCount"] == "2", again
    sqs.delete_message(QueueUrl=url, ReceiptHandle=again["ReceiptHandle"])
    assert not receive(url, WaitTimeSeconds=0)


@check
def sqs_batches():
    """ten at once, one of them refused"""
    url, _ = queue()
    entries = [{"Id": str(i), "MessageBody": f"m{i}", "DelaySeconds": 901 if i == 3 else 0} for i in range(10)]
    out = sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert (len(out["Successful"]), [f["Id"] for f in out["Failed"]]) == (9, ["3"]), out
    got = {}
    eventually("nine messages", lambda: got.update({m["Body"]: m["ReceiptHandle"] for m in receive(url)}) or len(got) == 9)
    out = sqs.delete_message_batch(QueueUrl=url, Entries=[{"Id": b, "ReceiptHandle": h} for b, h in got.items()])
    assert len(out["Successful"]) == 9, out
    refused("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", sqs.send_message_batch, QueueUrl=url,
            Entries=[{"Id": str(i), "MessageBody": "m"} for i in range(11)])


@check
def sqs_fifo():
    """order, deduplication, a group that waits"""
    url, _ = queue(".fifo", FifoQueue="true", ContentBasedDeduplication="true")
    for body in ("a1", "a1", "b1", "a2"):
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=body[0])
    [first] = receive(url, MaxNumberOfMessages=1)
    assert first["Body"] == "a1" and int(first["Attributes"]["SequenceNumber"]) > 0, first
    assert [m["Body"] for m in receive(url)] == ["b1"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
    assert [m["Body"] for m in receive(url)] == ["a2"]


@check
def sqs_attributes():
    """set, read, refuse"""
    url, _ = queue(VisibilityTimeout="40")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "3"})
    got = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (got["VisibilityTimeout"], got["DelaySeconds"], got["MaximumMessageSize"]) == ("40", "3", "1048576"), got
    refused("InvalidAttributeName", sqs.set_queue_attributes, QueueUrl=url, Attributes={"Colour": "blue"})
    refused("AWS.SimpleQueueService.NonExistentQueue", sqs.get_queue_url, QueueName=unique("none"))


@check
def sqs_exceptions_have_types():
    """boto3 makes a class of each error that the model names"""
    try:
        sqs.get_queue_url(QueueName=unique("none"))
    except sqs.exceptions.QueueDoesNotExist:
        return
    raise AssertionError("sqs.exceptions.QueueDoesNotExist was not raised")


@check
def sqs_dead_letters_and_their_way_back():
    """redrive policy, then StartMessageMoveTask"""
    dead, dead_arn = queue()
    url, arn = queue(RedrivePolicy=json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1}))
    sqs.send_message(QueueUrl=url, MessageBody="poison")
    [m] = receive(url, VisibilityTimeout=1)
    got = eventually("a dead letter", lambda: receive(url, WaitTimeSeconds=0) or receive(dead, VisibilityTimeout=0, WaitTimeSeconds=0))
    assert got[0]["Attributes"]["DeadLetterQueueSourceArn"] == arn, got
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [url]
    sqs.start_message_move_task(SourceArn=dead_arn)
    assert [m["Body"] for m in receive(url)] == ["poison"]
    eventually("the move is done", lambda: sqs.list_message_move_tasks(SourceArn=dead_arn)["Results"][0]["Status"] == "COMPLETED")


# ------------------------------------------------------------------ Kinesis
@check
def kinesis_put_get():
    """put, list, iterate, read"""
    name, arn = stream(2)
    out = kinesis.put_records(StreamARN=arn, Records=[{"PartitionKey": str(i), "Data": bytes([i])} for i in range(100)])
    assert out["FailedRecordCount"] == 0 and len(out["Records"]) == 100, out
    got = []
    for shard in kinesis.list_shards(StreamName=name)["Shards"]:
        it = kinesis.get_shard_iterator(StreamName=name, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        page = kinesis.get_records(ShardIterator=it)
        assert page["MillisBehindLatest"] == 0 and page["NextShardIterator"], page
        assert all(r["ApproximateArrivalTimestamp"].year > 2000 for r in page["Records"])
        got += [r["Data"] for r in page["Records"]]
    assert sorted(got) == [bytes([i]) for i in range(100)]
    description = kinesis.describe_stream(StreamName=name)["StreamDescription"]
    assert description["StreamCreationTimestamp"].year > 2000 and len(description["Shards"]) == 2, description


@check
def kinesis_split_and_scale():
    """a closed shard names its children; UpdateShardCount"""
    name, _ = stream()
    kinesis.split_shard(StreamName=name, ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**127))
    kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})
    it = kinesis.get_shard_iterator(StreamName=name, ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    page = kinesis.get_records(ShardIterator=it)
    assert page.get("NextShardIterator") is None and len(page["ChildShards"]) == 2, page
    kinesis.update_shard_count(StreamName=name, TargetShardCount=4, ScalingType="UNIFORM_SCALING")
    eventually("four open shards", lambda: kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["OpenShardCount"] == 4)


@check
def kinesis_errors():
    """codes, statuses, classes"""
    try:
        kinesis.describe_stream_summary(StreamName=unique("none"))
        raise AssertionError("must be refused")
    except kinesis.exceptions.ResourceNotFoundException:
        pass
    refused("InvalidArgumentException", kinesis.get_records, ShardIterator="nonsense")


def subscribe(consumer, shard, **position):
    return kinesis.subscribe_to_shard(ConsumerARN=consumer, ShardId=shard, StartingPosition=position)["EventStream"]


@check
def kinesis_consumers_and_subscribe_to_shard():
    """the event stream, parsed by botocore"""
    name, arn = stream()
    consumer = kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="reader")["Consumer"]["ConsumerARN"]
    eventually("the consumer is ACTIVE", lambda: kinesis.describe_stream_consumer(ConsumerARN=consumer)["ConsumerDescription"]["ConsumerStatus"] == "ACTIVE")
    assert [c["ConsumerName"] for c in kinesis.list_stream_consumers(StreamARN=arn)["Consumers"]] == ["reader"]
    kinesis.put_record(StreamName=name, PartitionKey="k", Data=b"0")
    events = subscribe(consumer, "shardId-000000000000", Type="TRIM_HORIZON")
    got, delays = [], []

    def put():
        for _ in range(9):
            time.sleep(0.05)
            kinesis.put_record(StreamName=name, PartitionKey="k", Data=str(time.time()).encode())

    threading.Thread(target=put).start()
    for event in events:
        e = event["SubscribeToShardEvent"]
        assert e["ContinuationSequenceNumber"] and e["MillisBehindLatest"] >= 0, e
        for r in e["Records"]:
            got.append(r["Data"])
            if r["Data"] != b"0":
                delays.append(time.time() - float(r["Data"]))
        if len(got) >= 10:
            break
    events.close()
    assert got[0] == b"0" and got[1:] == sorted(got[1:]), got
    delays.sort()
    print(f"     pushed after {delays[len(delays) // 2] * 1000:.1f} ms (median)")
    refused("ResourceInUseException", subscribe, consumer, "shardId-000000000000", Type="LATEST")
    kinesis.deregister_stream_consumer(ConsumerARN=consumer)


# ------------------------------------------------------------------ SNS, STS
@check
def sns_to_a_phone_and_to_a_queue():
    """a text; a topic with raw delivery"""
    assert sns.publish(PhoneNumber="+15555550100", Message="your car is here")["MessageId"]
    refused("InvalidParameter", sns.publish, PhoneNumber="nonsense", Message="x")
    url, arn = queue()
    topic = sns.create_topic(Name=unique("sdk"))["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    sns.publish(TopicArn=topic, Message="raw", MessageAttributes={"kind": {"DataType": "String", "StringValue": "x"}})
    [m] = receive(url)
    assert (m["Body"], m["MessageAttributes"]["kind"]["StringValue"]) == ("raw", "x"), m


@check
def sts_caller_identity():
    """an account of twelve digits"""
    assert len(sts.get_caller_identity()["Account"]) == 12


# ------------------------------------------------------------------ AWS CLI
@check
def cli_sqs():
    """aws sqs create-queue, send-message, receive-message, delete-message, get-queue-attributes"""
    url = aws("sqs", "create-queue", "--queue-name", unique("cli"))["QueueUrl"]
    sent = aws("sqs", "send-message", "--queue-url", url, "--message-body", "from the CLI")
    [m] = aws("sqs", "receive-message", "--queue-url", url, "--wait-time-seconds", "5", "--attribute-names", "All")["Messages"]
    assert (m["MessageId"], m["Body"]) == (sent["MessageId"], "from the CLI"), m
    aws("sqs", "delete-message", "--queue-url", url, "--receipt-handle", m["ReceiptHandle"])
    got = aws("sqs", "get-queue-attributes", "--queue-url", url, "--attribute-names", "All")["Attributes"]
    assert (got["ApproximateNumberOfMessages"], got["ApproximateNumberOfMessagesNotVisible"]) == ("0", "0"), got
    assert url in aws("sqs", "list-queues", "--queue-name-prefix", "cli-")["QueueUrls"]


@check
def cli_kinesis():
    """aws kinesis create-stream, wait, put-record, get-shard-iterator, get-records, register-stream-consumer"""
    name = unique("cli")
    aws("kinesis", "create-stream", "--stream-name", name, "--shard-count", "1")
    aws("kinesis", "wait", "stream-exists", "--stream-name", name)
    put = aws("kinesis", "put-record", "--stream-name", name, "--partition-key", "k", "--data", "hello")
    it = aws("kinesis", "get-shard-iterator", "--stream-name", name, "--shard-id", put["ShardId"], "--shard-iterator-type", "TRIM_HORIZON")
    [r] = aws("kinesis", "get-records", "--shard-iterator", it["ShardIterator"])["Records"]
    assert (r["SequenceNumber"], r["Data"]) == (put["SequenceNumber"], "aGVsbG8="), r
    arn = aws("kinesis", "describe-stream-summary", "--stream-name", name)["StreamDescriptionSummary"]["StreamARN"]
    assert aws("kinesis", "register-stream-consumer", "--stream-arn", arn, "--consumer-name", "reader")["Consumer"]["ConsumerARN"]
    aws("kinesis", "delete-stream", "--stream-name", name, "--enforce-consumer-deletion")


@check
def cli_sns_and_sts():
    """aws sns publish, aws sts get-caller-identity"""
    assert aws("sns", "publish", "--phone-number", "+15555550100", "--message", "from the CLI")["MessageId"]
    assert len(aws("sts", "get-caller-identity")["Account"]) == 12


def main():
    os.environ.setdefault("AWS_PAGER", "")
    failed = 0
    for f in CHECKS:
        began = time.monotonic()
        try:
            f()
            verdict = "ok  "
        except Exception as e:
            failed, verdict = failed + 1, "FAIL"
            print(f"     {type(e).__name__}: {e}")
        print(f"{verdict} {f.__name__}: {f.__doc__} ({time.monotonic() - began:.1f} s)", flush=True)
    print(f"{len(CHECKS) - failed} of {len(CHECKS)} passed (boto3 {boto3.__version__}, AWS CLI {awscli.__version__}, Python {sys.version.split()[0]})")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
