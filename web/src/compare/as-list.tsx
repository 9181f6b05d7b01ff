import { Table } from "@mantine/core";
import { whole } from "../api/format";
import { WideTable } from "../console/wide-table";
import { reasonOf } from "./steps";
import { outOfDate, type Sums } from "./sums";
import { failedWord, workerName } from "./tiles";
import type { Answers, Side } from "./answers";
import { Sheet } from "../ui/sheet";

interface Props {
  answers: Answers;
  sums: Sums | undefined;
  side: Side;
  jobs: boolean;
}

/** The rows that a column's picture is drawn from, for who does not see it or wants the numbers. */
export function AsList(props: Props) {
  return (
    <Sheet name="As a list" of={props.side === "queue" ? "Queue" : "Stream"}>
      {props.jobs ? <Jobs {...props} /> : <Teams {...props} />}
    </Sheet>
  );
}

const teamColumns = { Team: "left", "Joined at": "right", Points: "right", "Of": "right", "Came twice": "right", "Cars out of date": "right" } as const;

function Teams({ answers, sums, side }: Props) {
  return (
    <WideTable label={`Teams of the ${side}`} minWidth={460} columns={teamColumns}>
      {sums?.[side].map((t, i) => {
        const { cars, missed } = outOfDate(answers, side, i);
        const there = t.joinedAt !== null;

        return (
          <Table.Tr key={t.name}>
            <Table.Td>{t.title}</Table.Td>
            <Table.Td ta="right">{t.joinedAt === null ? "not yet" : whole(t.joinedAt)}</Table.Td>
            <Table.Td ta="right">{there ? whole(t.have) : ""}</Table.Td>
            <Table.Td ta="right">{whole(t.of)}</Table.Td>
            <Table.Td ta="right">{there ? whole(answers.latest?.[side]?.teams[i]?.repeats ?? 0) : ""}</Table.Td>
            <Table.Td ta="right">{there ? `${missed} of ${cars}` : ""}</Table.Td>
          </Table.Tr>
        );
      })}
    </WideTable>
  );
}

const jobColumns = { Job: "left", State: "left", Worker: "left", Tries: "right" } as const;

function Jobs({ answers, side }: Props) {
  const jobs = answers.latest?.jobs;
  const of = jobs?.[side];

  return (
    <WideTable label={`Jobs of the ${side}`} minWidth={320} columns={jobColumns}>
      {Array.from({ length: jobs?.sent ?? 0 }, (_, i) => i + 1).map((tile) => {
        const done = of?.done.find((d) => d.tile === tile);
        const failed = of?.failed?.tile === tile ? of.failed : undefined;

        return (
          <Table.Tr key={tile}>
            <Table.Td>{tile}</Table.Td>
            <Table.Td>{done ? "✓ done" : failed ? `✕ ${failedWord(side, of?.passed ?? false)}: ${reasonOf(failed.reason)}` : "waits"}</Table.Td>
            <Table.Td>{done ? workerName(done.worker) : ""}</Table.Td>
            <Table.Td ta="right">{done?.tries ?? failed?.tries ?? ""}</Table.Td>
          </Table.Tr>
        );
      })}
    </WideTable>
  );
}
