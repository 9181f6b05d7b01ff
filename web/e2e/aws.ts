// What lies on queues and streams, asked of the backend itself and not of Tandem. An
// emulator checks no signature, so that no SDK is needed. Nothing here takes a message.
import { runFile } from "./world";

export const emulator = () => runFile().processes.find((p) => p.name === "emulator")?.url ?? "";

async function call<T>(target: string, body: object): Promise<T> {
  const type = target.startsWith("AmazonSQS") ? "1.0" : "1.1";
  const answer = await fetch(emulator(), { method: "POST", headers: { "X-Amz-Target": target, "Content-Type": `application/x-amz-json-${type}` }, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${target}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
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
export async function inQueue(name: string): Promise<number> {
  const { QueueUrl } = await call<{ QueueUrl: string }>("AmazonSQS.GetQueueUrl", { QueueName: name });
  const names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
  const { Attributes } = await call<{ Attributes: Record<string, string> }>("AmazonSQS.GetQueueAttributes", { QueueUrl, AttributeNames: names });
  return names.reduce((sum, k) => sum + Number(Attributes[k]), 0);
}

/** The bodies of a queue's messages, without receiving them. */
export async function bodiesIn(name: string): Promise<{ session: string; tile: number }[]> {
  const { QueueUrl } = await call<{ QueueUrl: string }>("AmazonSQS.GetQueueUrl", { QueueName: name });
  const answer = await fetch(`${emulator()}/_aws/sqs/messages?ShowInvisible=true&QueueUrl=${encodeURIComponent(QueueUrl)}`, { headers: { Accept: "application/json" } });
  const { ReceiveMessageResponse } = (await answer.json()) as { ReceiveMessageResponse: { ReceiveMessageResult: { Message: { Body: string } | { Body: string }[] } | null } };
  return [ReceiveMessageResponse.ReceiveMessageResult?.Message ?? []].flat().map((m) => JSON.parse(m.Body) as { session: string; tile: number });
}

interface State {
  queues: { name: string; duplicates: number }[];
  topics: { topic: string; subscriptions: { queue: string }[] }[];
}

/** The queues that have a copy of what is published to a topic. */
export async function subscribers(topic: string): Promise<string[]> {
  const { topics } = (await (await fetch(`${emulator()}/_aws/emulator/state`)).json()) as State;
  return (topics.find((t) => t.topic.endsWith(topic))?.subscriptions ?? []).map((s) => s.queue.split(":").at(-1) ?? "").sort();
}

/** Deleted messages that a queue has delivered once more. */
export async function duplicatesOf(queue: string): Promise<number> {
  const { queues } = (await (await fetch(`${emulator()}/_aws/emulator/state`)).json()) as State;
  return queues.find((q) => q.name === queue)?.duplicates ?? 0;
}
