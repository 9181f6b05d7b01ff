import { MantineProvider } from "@mantine/core";
import type { ReactElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import type { Summary } from "../api/types";
import { QueueStrip } from "./queue-strip";
import { StreamStrip } from "./stream-strip";
import { lanePath } from "./strips";
import type { Heard } from "./use-summary";

const now = Date.now();
const at = new Date(now).toISOString();
const worker = (name: string, held: number | null) => ({ name, pid: 7, held, may_hold: 5, heard_at: at });
const shard = (n: number, bins: number[]) => ({ shard: `shardId-00000000000${n}`, bins, through: now });
const summary = {
  at, gathered_at: at, deleted_ms_ago: [500, 4000, 29_000],
  queue: { waiting: 2, in_flight: 3 }, workers: [worker("dispatch-1", 3), worker("dispatch-2", null)],
  stream: { bin_ms: 50, end: now, shards: [shard(0, [1, 0, 0]), shard(1, [0, 0, 3])], readers: [] },
} as unknown as Summary;
const heard = { summary, askedAt: now, at: () => now } as unknown as Heard;

const drawn = (element: ReactElement) => renderToStaticMarkup(<MantineProvider>{element}</MantineProvider>);
const box = (svg: string, name: string) => svg.slice(svg.indexOf(`data-testid="box-${name}"`)).split("</g>")[0] ?? "";

test("each lane has the points of its own shard, under its name", () => {
  const svg = drawn(<StreamStrip heard={heard} width={600} phone={false} />);
  const lanes = [...svg.matchAll(/<path d="([^"]*)"[^>]*data-testid="lane-([^"]*)"/g)].map(([, d, name]) => [name, d]);
  const [y, pxPerMs] = [(i: number) => 18 + (i + 0.5) * 17, (600 - 76 - 64) / 4000];

  expect(lanes).toEqual(summary.stream.shards.map((s, i) => [s.shard, lanePath(s.bins, 50, pxPerMs, y(i), 15)]));
  expect([...svg.matchAll(/y="([^"]*)"[^>]*>shard (\d)</g)].map(([, at, n]) => [Number(at), n])).toEqual([[y(0) + 4.5, "0"], [y(1) + 4.5, "1"]]);
});

test("a worker's places have as many messages as it holds, and a ? where nobody knows", () => {
  const svg = drawn(<QueueStrip heard={heard} width={600} phone={false} />);

  expect(box(svg, "dispatch-1").match(/<circle/g)).toHaveLength(5);
  expect(box(svg, "dispatch-1").match(/<circle[^>]*dot/g)).toHaveLength(3);
  expect(box(svg, "dispatch-1")).not.toContain("?");
  expect(box(svg, "dispatch-2")).toContain(">?<");
  expect(box(svg, "dispatch-2")).not.toContain("<circle");
});

test("a box says that it is a worker, as far as there is room beside its places", () => {
  const words = (width: number, phone: boolean) =>
    /<text[^>]*>(.*?)<\/text>/.exec(box(drawn(<QueueStrip heard={heard} width={width} phone={phone} />), "dispatch-1"))?.[1]?.replace(/<[^>]*>/g, "");

  expect(words(640, false)).toBe("worker dispatch-1, pid 7");
  expect(words(432, false)).toBe("worker, pid 7");
  expect(words(358, true)).toBe("pid 7");
  expect(words(288, true)).toBe("7");
});

test("a tick stands for each message that was deleted, and for no other", () => {
  const svg = drawn(<QueueStrip heard={heard} width={600} phone={false} />);
  const row = svg.slice(svg.indexOf('data-testid="deleted"'));

  expect(row.match(/<path/g)).toHaveLength(3);
  expect(svg.match(/<path/g)).toHaveLength(3);
});

test("of what nobody has told nothing is drawn but empty lanes", () => {
  expect(drawn(<QueueStrip heard={undefined} width={600} phone={false} />)).not.toMatch(/<circle|<path/);
  expect(drawn(<StreamStrip heard={undefined} width={600} phone={false} />)).not.toContain("<path");
});
