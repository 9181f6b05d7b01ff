// Drives the emulator with AWS's SDK for JavaScript, each client with its
// defaults: the environment names endpoint, region and keys, and nothing else is
// set. Kinesis's client then speaks HTTP/2 from the first byte on.
//
//     AWS_ENDPOINT_URL=http://127.0.0.1:4566 AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test node check.mjs
//
// One line a check; exit 1 if one failed.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import * as kinesisSDK from "@aws-sdk/client-kinesis";
import * as snsSDK from "@aws-sdk/client-sns";
import * as sqsSDK from "@aws-sdk/client-sqs";
import * as stsSDK from "@aws-sdk/client-sts";

const kinesis = new kinesisSDK.Kinesis({});
const sqs = new sqsSDK.SQS({});
const sns = new snsSDK.SNS({});
const sts = new stsSDK.STS({});

const unique = () => `js-${randomUUID().slice(0, 12)}`;
const text = (bytes) => Buffer.from(bytes).toString();

async function eventually(what, f) {
  for (const end = Date.now() + 30_000; Date.now() < end; ) {
    const got = await f();
    if (got) return got;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${what}: not within 30 s`);
}

/** The error must be of the model's class and code, with the answer's id. */
async function refused(kind, name, call) {
  const e = await call.then(() => assert.fail(`must be refused with ${name}`), (e) => e);
  if (kind) assert(e instanceof kind, `${e} is no ${name}`);
  assert.equal(e.name, name);
  assert.equal(e.$metadata.httpStatusCode, 400);
  assert.match(e.$metadata.requestId, /^[0-9a-f-]{36}$/);
}

async function queue(suffix = "", Attributes = {}) {
  const { QueueUrl } = await sqs.createQueue({ QueueName: unique() + suffix, Attributes });
  return QueueUrl;
}

const receive = async (QueueUrl) =>
  (await sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 5, MessageAttributeNames: ["All"], MessageSystemAttributeNames: ["All"] })).Messages ?? [];

async function stream(ShardCount = 1) {
  const StreamName = unique();
  await kinesis.createStream({ StreamName, ShardCount });
  await kinesisSDK.waitUntilStreamExists({ client: kinesis, maxWaitTime: 30 }, { StreamName });
  const { StreamDescriptionSummary } = await kinesis.describeStreamSummary({ StreamName });
  return { StreamName, StreamARN: StreamDescriptionSummary.StreamARN };
}

const firstShard = "shardId-000000000000";

const checks = {
  async sqs_send_receive_delete() {
    const QueueUrl = await queue();
    const sent = await sqs.sendMessage({
      QueueUrl, MessageBody: "hello ∑ 😀",
      MessageAttributes: { kind: { DataType: "String", StringValue: "x" }, blob: { DataType: "Binary", BinaryValue: Buffer.from([0, 255]) } },
    }); // the SDK checks the MD5s by itself
    assert.match(sent.$metadata.requestId, /^[0-9a-f-]{36}$/);
    const [m] = await receive(QueueUrl);
    assert.deepEqual([m.MessageId, m.Body], [sent.MessageId, "hello ∑ 😀"]);
    assert.deepEqual([...m.MessageAttributes.blob.BinaryValue], [0, 255]);
    await sqs.deleteMessage({ QueueUrl, ReceiptHandle: m.ReceiptHandle });
    const { Attributes } = await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ["All"] });
    assert.deepEqual([Attributes.ApproximateNumberOfMessages, Attributes.ApproximateNumberOfMessagesNotVisible], ["0", "0"]);
  },

  async sqs_batch_fails_in_part() {
    const QueueUrl = await queue();
    const Entries = [...Array(10).keys()].map((i) => ({ Id: `${i}`, MessageBody: `m${i}`, DelaySeconds: i === 3 ? 901 : 0 }));
    const out = await sqs.sendMessageBatch({ QueueUrl, Entries });
    assert.deepEqual([out.Successful.length, out.Failed.map((f) => f.Id)], [9, ["3"]]);
    await refused(sqsSDK.TooManyEntriesInBatchRequest, "TooManyEntriesInBatchRequest", sqs.sendMessageBatch({ QueueUrl, Entries: [...Entries, { Id: "x", MessageBody: "m" }] }));
  },

  async sqs_fifo() {
    const QueueUrl = await queue(".fifo", { FifoQueue: "true", ContentBasedDeduplication: "true" });
    for (const MessageBody of ["a1", "a1", "a2"]) await sqs.sendMessage({ QueueUrl, MessageBody, MessageGroupId: "a" });
    assert.deepEqual((await receive(QueueUrl)).map((m) => m.Body), ["a1", "a2"]);
  },

  async sqs_errors() {
    await refused(sqsSDK.QueueDoesNotExist, "QueueDoesNotExist", sqs.getQueueUrl({ QueueName: unique() }));
    const QueueUrl = await queue();
    await refused(sqsSDK.InvalidMessageContents, "InvalidMessageContents", sqs.sendMessage({ QueueUrl, MessageBody: "a\ud83d" }));
  },

  async kinesis_put_get() {
    const { StreamName } = await stream(2);
    const put = await kinesis.putRecords({ StreamName, Records: [...Array(100).keys()].map((i) => ({ PartitionKey: `${i}`, Data: Buffer.from([i, 255]) })) });
    assert.equal(put.FailedRecordCount, 0);
    assert.match(put.$metadata.requestId, /^[0-9a-f-]{36}$/);
    const got = [];
    for (const { ShardId } of (await kinesis.listShards({ StreamName })).Shards) {
      const { ShardIterator } = await kinesis.getShardIterator({ StreamName, ShardId, ShardIteratorType: "AT_TIMESTAMP", Timestamp: new Date(Date.now() - 60_000) });
      const page = await kinesis.getRecords({ ShardIterator });
      assert.equal(page.MillisBehindLatest, 0);
      for (const r of page.Records) {
        assert(Math.abs(r.ApproximateArrivalTimestamp - Date.now()) < 60_000, r.ApproximateArrivalTimestamp);
        got.push(r.Data[0]);
      }
    }
    assert.deepEqual(got.sort((a, b) => a - b), [...Array(100).keys()]);
  },

  async kinesis_split() {
    const { StreamName } = await stream();
    await kinesis.splitShard({ StreamName, ShardToSplit: firstShard, NewStartingHashKey: (2n ** 127n).toString() });
    const { ShardIterator } = await kinesis.getShardIterator({ StreamName, ShardId: firstShard, ShardIteratorType: "TRIM_HORIZON" });
    const page = await eventually("the end of the shard", async () => {
      const page = await kinesis.getRecords({ ShardIterator });
      return page.NextShardIterator == null && page;
    });
    assert.equal(page.ChildShards.length, 2);
  },

  async kinesis_errors() {
    await refused(kinesisSDK.ResourceNotFoundException, "ResourceNotFoundException", kinesis.describeStreamSummary({ StreamName: unique() }));
    await refused(kinesisSDK.InvalidArgumentException, "InvalidArgumentException", kinesis.getRecords({ ShardIterator: "nonsense" }));
    await refused(null, "UnsupportedOperation", kinesis.listTagsForStream({ StreamName: unique() }));
  },

  async kinesis_subscribe_to_shard() {
    const { StreamName, StreamARN } = await stream();
    const { Consumer } = await kinesis.registerStreamConsumer({ StreamARN, ConsumerName: "reader" });
    const { ConsumerARN } = Consumer;
    await eventually("the consumer is ACTIVE", async () => (await kinesis.describeStreamConsumer({ ConsumerARN })).ConsumerDescription.ConsumerStatus === "ACTIVE");
    await kinesis.putRecord({ StreamName, PartitionKey: "k", Data: Buffer.from("0") });
    const { EventStream } = await kinesis.subscribeToShard({ ConsumerARN, ShardId: firstShard, StartingPosition: { Type: "TRIM_HORIZON" } });
    const got = [];
    let next = 1;
    for await (const { SubscribeToShardEvent: event } of EventStream) {
      assert(event.ContinuationSequenceNumber);
      got.push(...event.Records.map((r) => text(r.Data)));
      if (got.length === 10) break;
      if (got.length === next) await kinesis.putRecord({ StreamName, PartitionKey: "k", Data: Buffer.from(`${next++}`) }); // pushed while it is open
    }
    assert.deepEqual(got, [..."0123456789"]);
  },

  async sns_and_sts() {
    assert((await sns.publish({ PhoneNumber: "+15555550100", Message: "your car is here" })).MessageId);
    const e = await sns.publish({ PhoneNumber: "nonsense", Message: "x" }).catch((e) => e);
    assert(e instanceof snsSDK.InvalidParameterException, `${e}`);
    assert.match((await sts.getCallerIdentity({})).Account, /^\d{12}$/);
  },
};

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  const began = Date.now();
  try {
    await check();
    console.log(`ok   ${name} (${Date.now() - began} ms)`);
  } catch (e) {
    failed++;
    console.log(`FAIL ${name} (${Date.now() - began} ms)\n     ${e.stack}`);
  }
}

const require = createRequire(import.meta.url);
const versions = ["kinesis", "sqs", "sns", "sts"].map((s) => `${s} ${require(`@aws-sdk/client-${s}/package.json`).version}`);
const total = Object.keys(checks).length;
console.log(`${total - failed} of ${total} passed (AWS SDK for JavaScript v3: ${versions.join(", ")}; Node.js ${process.versions.node})`);
process.exit(failed ? 1 : 0);
