import { Badge, Table, Text } from "@mantine/core";
import { whole } from "../api/format";
import type { Overview } from "../api/types";
import { Sparkline } from "./sparkline";
import type { Series } from "./use-series";
import { WideTable } from "./wide-table";

const queueColumns = { Queue: "left", Waiting: "right", "In flight": "right", Delayed: "right", Depth: "left" } as const;

export function Queues({ queues, series }: { queues: Overview["queues"]; series: Map<string, Series> }) {
  return (
    <WideTable label="Queues table" minWidth={480} columns={queueColumns}>
      {queues.map((q) => (
        <Table.Tr key={q.name}>
          <Table.Td>
            {q.name} {q.dead && q.visible > 0 && <Badge color="red" size="sm" variant="light">dead letters</Badge>}
            {q.error && <Text size="xs" c="red">{q.error}</Text>}
          </Table.Td>
          <Table.Td ta="right" data-testid={`queue-${q.name}-visible`}>{whole(q.visible)}</Table.Td>
          <Table.Td ta="right" data-testid={`queue-${q.name}-in-flight`}>{whole(q.in_flight)}</Table.Td>
          <Table.Td ta="right">{whole(q.delayed)}</Table.Td>
          <Table.Td><Sparkline label={`${q.name}: messages over the last minutes`} series={series.get(`queue ${q.name}`)} /></Table.Td>
        </Table.Tr>
      ))}
    </WideTable>
  );
}

const workerColumns = { Worker: "left", "Process id": "right", Handling: "right", Received: "right", Done: "right", Retried: "right" } as const;

export function Workers({ workers }: { workers: Overview["workers"] }) {
  return (
    <WideTable label="Workers table" minWidth={480} columns={workerColumns}>
      {workers.map((w) => (
        <Table.Tr key={w.name}>
          <Table.Td>{w.name} {!w.ok && <Badge color="yellow" size="sm" variant="light">not answering</Badge>}</Table.Td>
          <Table.Td ta="right" data-testid={`worker-${w.name}-pid`}>{w.pid}</Table.Td>
          <Table.Td ta="right">{w.handling}</Table.Td>
          <Table.Td ta="right">{whole(w.received)}</Table.Td>
          <Table.Td ta="right">{whole(w.done)}</Table.Td>
          <Table.Td ta="right">{whole(w.retried)}</Table.Td>
        </Table.Tr>
      ))}
    </WideTable>
  );
}
