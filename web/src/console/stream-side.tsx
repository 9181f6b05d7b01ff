import { Badge, Table } from "@mantine/core";
import { milliseconds, whole } from "../api/format";
import type { Overview } from "../api/types";
import { Sparkline } from "./sparkline";
import type { Trail } from "./use-trail";
import { WideTable } from "./wide-table";

export function Shards({ shards }: { shards: Overview["shards"] }) {
  return (
    <WideTable label="Shards table" minWidth={420}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Shard</Table.Th>
          <Table.Th ta="right">Points/s</Table.Th>
          <Table.Th ta="right">Records/s</Table.Th>
          <Table.Th ta="right">kB/s</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {shards.map((s) => (
          <Table.Tr key={s.shard}>
            <Table.Td>{s.shard}</Table.Td>
            <Table.Td ta="right" data-testid={`shard-${s.shard}-points`}>{s.points_per_s.toFixed(1)}</Table.Td>
            <Table.Td ta="right">{s.records_per_s.toFixed(1)}</Table.Td>
            <Table.Td ta="right">{(s.bytes_per_s / 1000).toFixed(1)}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </WideTable>
  );
}

export function Readers({ readers, trail }: { readers: Overview["readers"]; trail: Trail }) {
  return (
    <WideTable label="Readers table" minWidth={640}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Reader</Table.Th>
          <Table.Th>Reads by</Table.Th>
          <Table.Th ta="right">Points</Table.Th>
          <Table.Th ta="right">Behind</Table.Th>
          <Table.Th ta="right">p50</Table.Th>
          <Table.Th ta="right">p99</Table.Th>
          <Table.Th>Lag</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {readers.map((r) => (
          <Table.Tr key={r.reader}>
            <Table.Td>{r.reader} {!r.ok && <Badge color="yellow" size="sm" variant="light">not answering</Badge>}</Table.Td>
            <Table.Td>{r.mode}</Table.Td>
            <Table.Td ta="right" data-testid={`reader-${r.reader}-points`} data-value={r.points}>{whole(r.points)}</Table.Td>
            <Table.Td ta="right">{milliseconds(r.behind_ms)}</Table.Td>
            <Table.Td ta="right">{milliseconds(r.latency_ms.p50)}</Table.Td>
            <Table.Td ta="right">{milliseconds(r.latency_ms.p99)}</Table.Td>
            <Table.Td><Sparkline label={`${r.reader}, lag over the last minutes`} line={trail.get(`reader ${r.reader}`)} /></Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </WideTable>
  );
}
