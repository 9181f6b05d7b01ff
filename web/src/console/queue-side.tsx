import { Badge, Table, Text } from "@mantine/core";
import { whole } from "../api/format";
import type { Overview } from "../api/types";
import { Sparkline } from "./sparkline";
import type { Trail } from "./use-trail";
import { WideTable } from "./wide-table";

export function Queues({ queues, trail }: { queues: Overview["queues"]; trail: Trail }) {
  return (
    <WideTable label="Queues table" minWidth={480}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Queue</Table.Th>
          <Table.Th ta="right">Waiting</Table.Th>
          <Table.Th ta="right">In flight</Table.Th>
          <Table.Th ta="right">Later</Table.Th>
          <Table.Th>Depth</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {queues.map((q) => (
          <Table.Tr key={q.name}>
            <Table.Td>
              {q.name} {q.dead && q.visible > 0 && <Badge color="red" size="sm" variant="light">dead letters</Badge>}
              {q.error && <Text size="xs" c="red">{q.error}</Text>}
            </Table.Td>
            <Table.Td ta="right" data-testid={`queue-${q.name}-visible`}>{whole(q.visible)}</Table.Td>
            <Table.Td ta="right" data-testid={`queue-${q.name}-in-flight`}>{whole(q.in_flight)}</Table.Td>
            <Table.Td ta="right">{whole(q.delayed)}</Table.Td>
            <Table.Td><Sparkline label={`${q.name}, messages over the last minutes`} line={trail.get(`queue ${q.name}`)} /></Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </WideTable>
  );
}

export function Workers({ workers }: { workers: Overview["workers"] }) {
  return (
    <WideTable label="Workers table" minWidth={480}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Worker</Table.Th>
          <Table.Th ta="right">pid</Table.Th>
          <Table.Th ta="right">Handling</Table.Th>
          <Table.Th ta="right">Received</Table.Th>
          <Table.Th ta="right">Done</Table.Th>
          <Table.Th ta="right">Retried</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
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
      </Table.Tbody>
    </WideTable>
  );
}
