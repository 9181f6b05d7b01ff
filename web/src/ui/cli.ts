// The commands of AWS's own tool that show what a page shows. Each of them only looks:
// none takes a message from anybody.

/** Where AWS's tools find what a page shows, as the server says it. */
export interface AwsAddress {
  endpoint?: string | undefined; // undefined: AWS itself
  region?: string | undefined;
}

export interface Command {
  about: string;
  command: string;
}

/** The beginning of each command. */
export const awsAt = ({ endpoint, region }: AwsAddress): string => ["aws", endpoint && `--endpoint-url ${endpoint}`, region && `--region ${region}`].filter(Boolean).join(" ");

/** How many messages a queue has, waiting and in flight. */
export function queueCounts(aws: string, name: string): string {
  return `${aws} sqs get-queue-attributes --queue-url "$(${aws} sqs get-queue-url --queue-name ${name} --query QueueUrl --output text)" --attribute-names ApproximateNumberOfMessages ApproximateNumberOfMessagesNotVisible`;
}

/** The records of a shard, the first of all that are kept. They stay there. */
export function firstRecords(aws: string, stream: string, shard: string): string {
  return `${aws} kinesis get-records --limit 10 --shard-iterator "$(${aws} kinesis get-shard-iterator --stream-name ${stream} --shard-id ${shard} --shard-iterator-type TRIM_HORIZON --query ShardIterator --output text)"`;
}
