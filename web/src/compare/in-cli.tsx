import { CliCommands } from "../ui/cli-commands";
import { Sheet } from "../ui/sheet";
import type { Answers, Side } from "./answers";
import { commandsFor } from "./commands";

/** How to see the same with AWS's own tool. Nothing of it takes a message from anybody. */
export function InCli({ answers, side, jobs }: { answers: Answers; side: Side; jobs: boolean }) {
  const { latest } = answers;
  const at = { endpoint: latest?.endpoint, region: latest?.region };
  const commands = commandsFor({ side, jobs, topic: latest?.queue?.via === "topic", ...at });

  return (
    <Sheet name="Same in AWS CLI" of={side === "queue" ? "Queue" : "Stream"}>
      <CliCommands commands={commands} at={at} testid={`${side}-command`} />
    </Sheet>
  );
}
