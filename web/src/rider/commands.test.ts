import { expect, test } from "vitest";
import { queueCommands, streamCommands } from "./commands";

const at = { endpoint: "http://127.0.0.1:4566", region: "us-east-1" };

test("the commands of a rail are of this ride's message and of the very record", () => {
  const [peek, counts] = queueCommands("m-1", true, at);
  expect(peek?.command).toBe(`curl -s http://127.0.0.1:4566/_aws/emulator/state | jq '.queues[] | select(.name == "ride-requests").messages[] | select(.id == "m-1")'`);
  expect(counts?.command).toMatch(/^aws --endpoint-url http:\/\/127\.0\.0\.1:4566 --region us-east-1 sqs get-queue-attributes .*--queue-name ride-requests /);

  const [record] = streamCommands({ shard: "shardId-000000000002", sequence_number: "495" }, at);
  expect(record?.command).toContain("get-records --limit 1");
  expect(record?.command).toContain("--shard-id shardId-000000000002 --shard-iterator-type AT_SEQUENCE_NUMBER --starting-sequence-number 495");
});

test("what does not look into its queues is not asked to", () => {
  expect(queueCommands("m-1", false, at)[0]?.command).toContain("/_aws/sqs/messages");
  expect(queueCommands("m-1", false, { region: "us-east-1" }).map((c) => c.command.startsWith("aws --region us-east-1 sqs get-queue-attributes"))).toEqual([true]);
});

test("nothing takes a message", () => {
  for (const known of [true, false]) expect(JSON.stringify(queueCommands("m-1", known, at))).not.toContain("receive-message");
});
