import { Anchor, Badge, Table, Text } from "@mantine/core";
import { milliseconds, whole } from "../api/format";
import { Since, Stale } from "../ui/stale";
import { readerAt, type Heard } from "./heard";
import { partId } from "./part-id";
import { Sparkline } from "./sparkline";
import type { Series } from "./use-series";
import { WideTable } from "./wide-table";

const shardColumns = { Shard: "left", "Points/s": "right", "Records/s": "right", "kB/s": "right" } as const;
const tenth = (n: number) => n.toFixed(1);

export function Shards({ heard }: { heard: Heard }) {
  if (heard.overview.shards.length === 0) return <Text size="sm" c="dimmed">location has not told of any shard yet.</Text>;

  return (
    <WideTable label="Shards table" minWidth={420} columns={shardColumns}>
      {heard.overview.shards.map((s) => {
        const at = heard.at(s.heard_at);

        return (
          <Table.Tr key={s.shard} id={partId("shard", s.shard)}>
            <Table.Td>{s.shard} <Since at={at} /></Table.Td>
            <Table.Td ta="right" data-testid={`shard-${s.shard}-points`}><Stale at={at} of={s.points_per_s}>{tenth}</Stale></Table.Td>
            <Table.Td ta="right"><Stale at={at} of={s.records_per_s}>{tenth}</Stale></Table.Td>
            <Table.Td ta="right"><Stale at={at} of={s.bytes_per_s}>{(n) => tenth(n / 1000)}</Stale></Table.Td>
          </Table.Tr>
        );
      })}
    </WideTable>
  );
}

const readerColumns = {
  Reader: "left", "Reads by": "left", Points: "right", Behind: "right", Unread: "right", p50: "right", p99: "right", Lately: "left",
} as const;

export function Readers({ heard, series }: { heard: Heard; series: Map<string, Series> }) {
  return (
    <WideTable label="Readers table" minWidth={650} columns={readerColumns}>
      {heard.overview.readers.map((r) => {
        const at = readerAt(heard, r);

        return (
          <Table.Tr key={r.reader} id={partId("reader", r.reader)} data-testid={`reader-${r.reader}`}>
            <Table.Td>
              {r.reader} {!r.ok && <Badge className="unknown">not answering</Badge>}
              {r.ok && r.not_read.length > 0 && <Badge className="unknown">not reading</Badge>}
              <Since at={at} />
              {r.reader === "history" && <Anchor href="/admin/playback" inherit className="target" data-testid="play-back">Playback</Anchor>}
            </Table.Td>
            <Table.Td>{r.mode}</Table.Td>
            <Table.Td ta="right" data-testid={`reader-${r.reader}-points`} data-value={r.points}><Stale at={at} of={r.points}>{whole}</Stale></Table.Td>
            <Table.Td ta="right" data-testid={`reader-${r.reader}-behind`} data-value={r.behind_ms}><Stale at={at} of={r.behind_ms}>{milliseconds}</Stale></Table.Td>
            <Table.Td ta="right" data-testid={`reader-${r.reader}-unread`} data-value={r.unread}>
              <Stale at={at} of={r.unread}>{(n) => (n === 0 ? "0" : `about ${whole(n)}`)}</Stale>
            </Table.Td>
            <Table.Td ta="right"><Stale at={at} of={r.latency_ms?.p50}>{milliseconds}</Stale></Table.Td>
            <Table.Td ta="right"><Stale at={at} of={r.latency_ms?.p99}>{milliseconds}</Stale></Table.Td>
            <Table.Td><Sparkline of="stream" label={`${r.reader}: how far behind over the last minutes`} series={series.get(`reader ${r.reader}`)} /></Table.Td>
          </Table.Tr>
        );
      })}
    </WideTable>
  );
}
