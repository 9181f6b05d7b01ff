import { Badge, Table, Text } from "@mantine/core";
import { whole } from "../api/format";
import { Since, Stale, useSeconds } from "../ui/stale";
import type { Heard } from "./heard";
import { partId } from "./part-id";
import { Sparkline } from "./sparkline";
import type { Series } from "./use-series";
import { WideTable } from "./wide-table";

const queueColumns = { Queue: "left", Waiting: "right", "In flight": "right", Delayed: "right", Depth: "left" } as const;

export function Queues({ heard, series }: { heard: Heard; series: Map<string, Series> }) {
  return (
    <WideTable label="Queues table" minWidth={480} columns={queueColumns}>
      {heard.overview.queues.map((q) => {
        const at = heard.at(q.heard_at);

        return (
          <Table.Tr key={q.name} id={partId("queue", q.name)}>
            <Table.Td>
              {q.name} {q.dead && q.visible !== undefined && q.visible > 0 && <Badge color="fault" size="md"><span aria-hidden>✕ </span>dead letters</Badge>}
              {q.error && <Text size="xs" c="fault">✕ {q.error}</Text>}
              <Since at={at} />
            </Table.Td>
            <Table.Td ta="right" data-testid={`queue-${q.name}-visible`}><Stale at={at} of={q.visible}>{whole}</Stale></Table.Td>
            <Table.Td ta="right" data-testid={`queue-${q.name}-in-flight`}><Stale at={at} of={q.in_flight}>{whole}</Stale></Table.Td>
            <Table.Td ta="right"><Stale at={at} of={q.delayed}>{whole}</Stale></Table.Td>
            <Table.Td><Sparkline of="queue" label={`${q.name}: messages over the last minutes`} series={series.get(`queue ${q.name}`)} /></Table.Td>
          </Table.Tr>
        );
      })}
    </WideTable>
  );
}

const workerColumns = { Worker: "left", "Process id": "right", Handling: "right", Received: "right", Done: "right", "Tried again": "right" } as const;

export function Workers({ heard }: { heard: Heard }) {
  return (
    <WideTable label="Workers table" minWidth={480} columns={workerColumns}>
      {heard.overview.workers.map((w) => {
        const at = heard.at(w.heard_at);

        return (
          <Table.Tr key={w.name} id={partId("worker", w.name)}>
            <Table.Td>
              {w.name} {!w.ok && <Badge className="unknown">not answering</Badge>}
              <Since at={at} />
            </Table.Td>
            <Table.Td ta="right" data-testid={`worker-${w.name}-pid`}><Stale at={at} of={w.pid || undefined}>{String}</Stale></Table.Td>
            <Table.Td ta="right"><Stale at={at} of={w.handling}>{whole}</Stale></Table.Td>
            <Table.Td ta="right"><Stale at={at} of={w.received}>{whole}</Stale></Table.Td>
            <Table.Td ta="right"><Stale at={at} of={w.done}>{whole}</Stale></Table.Td>
            <Table.Td ta="right" data-testid={`worker-${w.name}-again`}><Stale at={at} of={w.again}>{whole}</Stale></Table.Td>
          </Table.Tr>
        );
      })}
    </WideTable>
  );
}

/** How many workers there should be, and why: the last decision, with its age. */
export function Autoscale({ heard }: { heard: Heard }) {
  const { autoscale } = heard.overview;
  const seconds = useSeconds(heard.at(autoscale?.at ?? null));
  if (!autoscale) return null; // their number is fixed

  return (
    <Text size="sm" mt="xs" data-testid="autoscale">
      <b>{autoscale.want} workers, of {autoscale.min} to {autoscale.max}</b>: {autoscale.because}. <Text span c="dimmed">Decided {seconds === undefined ? "?" : seconds} s ago.</Text>
    </Text>
  );
}

/** What of the rides' messages has not been sent to the queues yet. */
export function Outbox({ heard }: { heard: Heard }) {
  const { rides } = heard.overview;
  const at = heard.at(rides?.at ?? null);
  const aside = rides?.outbox_set_aside;

  return (
    <Text size="sm" mt="xs" data-testid="outbox">
      Outbox: <b><Stale at={at} of={rides?.outbox_unsent}>{whole}</Stale></b> waiting to be sent,
      the oldest for <b><Stale at={at} of={rides?.outbox_oldest_s}>{whole}</Stale></b> s,
      {" "}<b><Stale at={at} of={aside}>{whole}</Stale></b> set aside
      {aside ? <Badge color="fault" size="md" ml="xs"><span aria-hidden>✕ </span>refused for good</Badge> : null} <Since at={at} />
    </Text>
  );
}
