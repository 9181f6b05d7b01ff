import { awsAt, firstRecords, queueCounts, type AwsAddress, type Command } from "../ui/cli";
import type { Side } from "./answers";

export interface What extends AwsAddress {
  side: Side;
  jobs: boolean;
  topic: boolean; // the left travels by the topic
}

const teamQueues = ["compare-map", "compare-history", "compare-heatmap", "compare-newcomer"];

/** The commands that show what a panel shows, and change nothing. */
export function commandsFor({ side, jobs, topic, ...at }: What): Command[] {
  const aws = awsAt(at);
  const queue = (name: string): Command => ({ about: `What is left in ${name}, about`, command: queueCounts(aws, name) });
  const stream = (name: string): Command => ({
    about: `The first records of ${name}. They stay there: reading takes nothing away`,
    command: firstRecords(aws, name, "shardId-000000000000"),
  });

  if (side === "stream") return [stream(jobs ? "compare-jobs" : "compare-points")];
  if (jobs) return [queue("compare-jobs"), queue("compare-jobs-dlq")];
  if (!topic) return [queue("compare-points")];
  const topics = { about: "The topic that each point is published to", command: `${aws} sns list-topics --query "Topics[?ends_with(TopicArn, ':compare-points')]"` };
  return [topics, ...teamQueues.map(queue)];
}
