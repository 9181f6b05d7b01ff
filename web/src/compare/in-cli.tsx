import { Text } from "@mantine/core";
import type { Answers, Side } from "./answers";
import { commandsFor } from "./commands";
import { Sheet } from "./sheet";
import classes from "./compare-page.module.css";

/** How to see the same with AWS's own tool. Nothing of it takes a message from anybody. */
export function InCli({ answers, side, jobs }: { answers: Answers; side: Side; jobs: boolean }) {
  const { latest } = answers;
  const commands = commandsFor({ side, jobs, topic: latest?.queue?.via === "topic", endpoint: latest?.endpoint, region: latest?.region });

  return (
    <Sheet name="Same in AWS CLI" of={side === "queue" ? "Queue" : "Stream"}>
      {commands.map(({ about, command }) => (
        <div key={about} className={classes.command}>
          <Text size="sm">{about}</Text>
          <code tabIndex={0} role="region" aria-label={about} data-testid={`${side}-command`}>{command}</code>
        </div>
      ))}
      {latest?.endpoint && <Text size="sm" c="dimmed">There any credentials will do: AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test.</Text>}
    </Sheet>
  );
}
