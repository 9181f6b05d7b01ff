import { Badge, Table } from "@mantine/core";
import { milliseconds, whole } from "../api/format";
import type { Overview } from "../api/types";
import { Sparkline } from "./sparkline";
import type { Series } from "./use-series";
import { WideTable } from "./wide-table";

const shardColumns = { Shard: "left", "Points/s": "right", "Records/s": "right", "kB/s": "right" } as const;

export function Shards({ shards }: { shards: Overview["shards"] }) {
  return (
    <WideTable label="Shards table" minWidth={420} columns={shardColumns}>
      {shards.map((s) => (
        <Table.Tr key={s.shard}>
          <Table.Td>{s.shard}</Table.Td>
          <Table.Td ta="right" data-testid={`shard-${s.shard}-points`}>{s.points_per_s.toFixed(1)}</Table.Td>
          <Table.Td ta="right">{s.records_per_s.toFixed(1)}</Table.Td>
          <Table.Td ta="right">{(s.bytes_per_s / 1000).toFixed(1)}</Table.Td>
        </Table.Tr>
      ))}
    </WideTable>
  );
}

const readerColumns = { Reader: "left", "Reads by": "left", Points: "right", Behind: "right", p50: "right", p99: "right", Lag: "left" } as const;

export function Readers({ readers, series }: { readers: Overview["readers"]; series: Map<string, Series> }) {
  return (
    <WideTable label="Readers table" minWidth={640} columns={readerColumns}>
      {readers.map((r) => (
        <Table.Tr key={r.reader}>
          <Table.Td>{r.reader} {!r.ok && <Badge color="yellow" size="sm" variant="light">not answering</Badge>}</Table.Td>
          <Table.Td>{r.mode}</Table.Td>
          <Table.Td ta="right" data-testid={`reader-${r.reader}-points`} data-value={r.points}>{whole(r.points)}</Table.Td>
          <Table.Td ta="right">{milliseconds(r.behind_ms)}</Table.Td>
          <Table.Td ta="right">{milliseconds(r.latency_ms.p50)}</Table.Td>
          <Table.Td ta="right">{milliseconds(r.latency_ms.p99)}</Table.Td>
          <Table.Td><Sparkline label={`${r.reader}: lag over the last minutes`} series={series.get(`reader ${r.reader}`)} /></Table.Td>
        </Table.Tr>
      ))}
    </WideTable>
  );
}
