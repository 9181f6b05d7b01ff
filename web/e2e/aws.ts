// What lies on queues and streams, asked of the backend itself and not of Tandem. Neither
// the emulator nor LocalStack checks a signature, so that no SDK is needed. Nothing here
// takes a message.
import { aws, runFile } from "./world";

export const endpoint = () => runFile().aws_endpoint ?? "";
export const onEmulator = () => runFile().backend === "emulator";

async function call<T>(target: string, body: object): Promise<T> {
  const answer = await aws<T>(target, body);
  if (answer === undefined) throw new Error("this machine does not reach queue and stream");
  return answer;
}

export interface OnStream {
  session: string;
  n?: number; // of a point
  tile?: number; // of a job
  arrived: number; // ms
}

/** All that lies on a stream, of its newest session, by arrival. */
export async function newestSession(stream: string): Promise<OnStream[]> {
  const kinesis = <T>(op: string, body: object) => call<T>(`Kinesis_20131202.${op}`, body);
  const { Shards } = await kinesis<{ Shards: { ShardId: string }[] }>("ListShards", { StreamName: stream });

  const all: OnStream[] = [];
  for (const { ShardId } of Shards) {
    let next = (await kinesis<{ ShardIterator: string }>("GetShardIterator", { StreamName: stream, ShardId, ShardIteratorType: "TRIM_HORIZON" })).ShardIterator;
    for (let behind = 1; behind > 0; ) {
      // A shard answers five calls a second, and the teams ask as well.
      await new Promise((done) => setTimeout(done, 250));
      const page = await kinesis<{ NextShardIterator: string; MillisBehindLatest: number; Records: { Data: string; ApproximateArrivalTimestamp: number }[] }>("GetRecords", { ShardIterator: next, Limit: 10_000 });
      for (const r of page.Records) all.push({ ...(JSON.parse(Buffer.from(r.Data, "base64").toString()) as OnStream), arrived: r.ApproximateArrivalTimestamp * 1000 });
      [next, behind] = [page.NextShardIterator, page.MillisBehindLatest];
    }
  }

  all.sort((a, b) => a.arrived - b.arrived);
  const newest = all.at(-1)?.session;
  return all.filter((r) => r.session === newest);
}

/** How many messages a queue has, waiting and in flight. */
export const inQueue = (name: string) => counted(name, ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]);

/** How many messages of a queue wait for a worker. */
export const visibleIn = (name: string) => counted(name, ["ApproximateNumberOfMessages"]);

async function counted(name: string, counts: string[]): Promise<number> {
  const { QueueUrl } = await call<{ QueueUrl: string }>("AmazonSQS.GetQueueUrl", { QueueName: name });
  const { Attributes } = await call<{ Attributes: Record<string, string> }>("AmazonSQS.GetQueueAttributes", { QueueUrl, AttributeNames: counts });
  return counts.reduce((sum, k) => sum + Number(Attributes[k]), 0);
}

/** The bodies of a queue's messages, without receiving them. */
export async function bodiesIn(name: string): Promise<{ session: string; tile: number }[]> {
  const { QueueUrl } = await call<{ QueueUrl: string }>("AmazonSQS.GetQueueUrl", { QueueName: name });
  const answer = await fetch(`${endpoint()}/_aws/sqs/messages?ShowInvisible=true&QueueUrl=${encodeURIComponent(QueueUrl)}`, { headers: { Accept: "application/json" } });
  const { ReceiveMessageResponse } = (await answer.json()) as { ReceiveMessageResponse: { ReceiveMessageResult: { Message: { Body: string } | { Body: string }[] } | null } };
  return [ReceiveMessageResponse.ReceiveMessageResult?.Message ?? []].flat().map((m) => JSON.parse(m.Body) as { session: string; tile: number });
}

// SNS is asked by a form, and LocalStack tells by the credential which service is meant.
async function topic(action: string): Promise<string> {
  const Authorization = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sns/aws4_request, SignedHeaders=host, Signature=0";
  const answer = await fetch(endpoint(), { method: "POST", headers: { Authorization }, body: new URLSearchParams(`${action}&Version=2010-03-31`) });
  if (!answer.ok) throw new Error(`${action}: ${answer.status} ${await answer.text()}`);
  return answer.text();
}

interface State {
  queues: { name: string; duplicates: number }[];
  topics: { topic: string; subscriptions: { queue: string }[] }[];
}

/** The queues that have a copy of what is published to a topic. */
export async function subscribers(name: string): Promise<string[]> {
  if (onEmulator()) {
    const { topics } = await state();
    return (topics.find((t) => t.topic.endsWith(name))?.subscriptions ?? []).map((s) => s.queue.split(":").at(-1) ?? "").sort();
  }

  const arn = new RegExp(`<TopicArn>([^<]+:${name})</TopicArn>`).exec(await topic("Action=ListTopics"))?.[1] ?? "";
  const list = await topic(`Action=ListSubscriptionsByTopic&TopicArn=${arn}`);
  return [...list.matchAll(/<Endpoint>[^<]+:([^<:]+)<\/Endpoint>/g)].map(([, queue = ""]) => queue).sort();
}

/** Deleted messages that a queue has delivered once more. Only the emulator tells: undefined elsewhere. */
export const duplicatesOf = async (queue: string): Promise<number | undefined> =>
  onEmulator() ? ((await state()).queues.find((q) => q.name === queue)?.duplicates ?? 0) : undefined;

const state = async (): Promise<State> => (await (await fetch(`${endpoint()}/_aws/emulator/state`)).json()) as State;
