import { awsAt, queueCounts, type AwsAddress, type Command } from "../ui/cli";

const requests = "ride-requests";
const positions = "driver-locations";

/**
 * The commands that show what the queue's rail shows of one message. AWS counts messages
 * and shows none without taking it; what an emulator holds can be looked at.
 */
export function queueCommands(message: string, known: boolean, at: AwsAddress): Command[] {
  const counts = { about: `How many requests wait in ${requests}, and how many are in flight, about`, command: queueCounts(awsAt(at), requests) };
  if (!at.endpoint) return [counts];

  const peek = known
    ? `curl -s ${at.endpoint}/_aws/emulator/state | jq '.queues[] | select(.name == "${requests}").messages[] | select(.id == "${message}")'`
    : `curl -s -G -H 'Accept: application/json' ${at.endpoint}/_aws/sqs/messages -d ShowInvisible=true --data-urlencode "QueueUrl=$(${awsAt(at)} sqs get-queue-url --queue-name ${requests} --query QueueUrl --output text)" | jq '.. | objects | select(.MessageId? == "${message}")'`;

  return [{ about: "This ride's message, without receiving it: nothing once it is deleted", command: peek }, counts];
}

/** The command that reads the very record that the stream's rail names. It is there after it was read. */
export function streamCommands({ shard, sequence_number: sequence }: { shard: string; sequence_number: string }, at: AwsAddress): Command[] {
  const aws = awsAt(at);
  const iterator = `${aws} kinesis get-shard-iterator --stream-name ${positions} --shard-id ${shard} --shard-iterator-type AT_SEQUENCE_NUMBER --starting-sequence-number ${sequence} --query ShardIterator --output text`;

  return [{ about: "The driver's newest point. It stays there: reading takes nothing away", command: `${aws} kinesis get-records --limit 1 --shard-iterator "$(${iterator})"` }];
}
