import { Table, Text } from "@mantine/core";
import { day, short } from "../api/format";
import type { OperationsAct } from "../api/types";
import { WideTable } from "./wide-table";
import classes from "./dead-letters.module.css";

const actColumns = { Act: "left", Who: "left", When: "left", Outcome: "left", Why: "left" } as const;

interface Props {
  acts: OperationsAct[];
  on: string; // what they were on, as the column's name
}

/** What people did with dead letters, or with readers. An act without an outcome was cut off. */
export function Acts({ acts, on }: Props) {
  return (
    <WideTable label={`Acts table: ${on}`} minWidth={900} columns={{ ...actColumns, [on]: "left" }}>
      {acts.map((a) => (
        <Table.Tr key={a.id} data-testid="act" data-value={a.message_id}>
          <Table.Td>{a.act}</Table.Td>
          <Table.Td>{a.who}{!a.verified && <Text size="xs" c="dimmed">not verified</Text>}</Table.Td>
          <Table.Td>{day(a.at)}</Table.Td>
          <Table.Td className={classes.text}>
            {a.outcome === "done" ? "✓ done" : <Text span inherit c="fault">✕ {a.outcome || "cut off: look whether it is still there"}</Text>}
            <Text size="xs" c="dimmed">{a.result}</Text>
          </Table.Td>
          <Table.Td className={classes.text}>{a.why}</Table.Td>
          <Table.Td className={classes.text}>
            <span title={a.message_id}>{a.message_id ? a.message_id.split(" ").map(short).join(", ") : "all"}</span> <Text span size="xs" c="dimmed">of {a.place}</Text>
            <Text size="xs" c="dimmed">{a.reason}</Text>
          </Table.Td>
        </Table.Tr>
      ))}
    </WideTable>
  );
}
