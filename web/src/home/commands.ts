import type { Summary } from "../api/types";
import { awsAt, firstRecords, queueCounts, type Command } from "../ui/cli";

const [queue, stream] = ["ride-requests", "driver-locations"];

/** What the queue's picture counts, asked of SQS itself. */
export const queueCommands = (summary: Summary): Command[] => [
  { about: "How many messages wait, and how many are in flight: in a worker's hands", command: queueCounts(awsAt(summary), queue) },
];

/** What the stream's picture draws, asked of Kinesis itself. */
export function streamCommands(summary: Summary): Command[] {
  const aws = awsAt(summary);
  const [shard] = summary.stream.shards;

  return [
    { about: "The shards: each that is read now is a lane", command: `${aws} kinesis list-shards --stream-name ${stream}` },
    { about: "For how many hours it keeps a point", command: `${aws} kinesis describe-stream-summary --stream-name ${stream} --query StreamDescriptionSummary.RetentionPeriodHours` },
    ...(shard ? [{ about: `The first points that ${shard.shard} still has. They stay there: reading takes nothing away`, command: firstRecords(aws, stream, shard.shard) }] : []),
  ];
}
