import { Text } from "@mantine/core";
import type { AwsAddress, Command } from "./cli";
import classes from "./cli-commands.module.css";

/** Commands to copy, and with what credentials they work. */
export function CliCommands({ commands, at, testid }: { commands: Command[]; at: AwsAddress; testid: string }) {
  return (
    <>
      {commands.map(({ about, command }) => (
        <div key={about} className={classes.command}>
          <Text size="sm">{about}</Text>
          <code tabIndex={0} role="region" aria-label={about} data-testid={testid}>{command}</code>
        </div>
      ))}
      {at.endpoint && <Text size="sm" c="dimmed">There any credentials will do: AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test.</Text>}
    </>
  );
}
