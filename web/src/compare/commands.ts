import type { Side } from "./answers";

export interface What {
  side: Side;
  jobs: boolean;
  topic: boolean; // the left travels by the topic
  endpoint: string | undefined; // undefined: AWS itself
  region: string | undefined;
}

export interface Command {
  about: string;
  command: string;
}

const teamQueues = ["compare-map", "compare-history", "compare-heatmap", "compare-newcomer"];

/** The commands that show what a panel shows, and change nothing. */
export function commandsFor({ side, jobs, topic, endpoint, region }: What): Command[] {
  const aws = ["aws", endpoint && `--endpoint-url ${endpoint}`, region && `--region ${region}`].filter(Boolean).join(" ");
  const queue = (name: string): Command => ({
    about: `What is left in ${name}, about`,
    command: `${aws} sqs get-queue-attributes --queue-url "$(${aws} sqs get-queue-url --queue-name ${name} --query QueueUrl --output text)" --attribute-names ApproximateNumberOfMessages ApproximateNumberOfMessagesNotVisible`,
  });
  const stream = (name: string): Command => ({
    about: `The first records of ${name}. They stay there: reading takes nothing away`,
    command: `${aws} kinesis get-records --limit 10 --shard-iterator "$(${aws} kinesis get-shard-iterator --stream-name ${name} --shard-id shardId-000000000000 --shard-iterator-type TRIM_HORIZON --query ShardIterator --output text)"`,
  });

  if (side === "stream") return [stream(jobs ? "compare-jobs" : "compare-points")];
  if (jobs) return [queue("compare-jobs"), queue("compare-jobs-dlq")];
  if (!topic) return [queue("compare-points")];
  const topics = { about: "The topic that each point is published to", command: `${aws} sns list-topics --query "Topics[?ends_with(TopicArn, ':compare-points')]"` };
  return [topics, ...teamQueues.map(queue)];
}
