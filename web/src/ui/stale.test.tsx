import { MantineProvider } from "@mantine/core";
import type { ReactElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { time } from "../api/format";
import { Since, Stale } from "./stale";

const now = Date.UTC(2026, 10, 27, 12, 0, 10);

beforeEach(() => vi.useFakeTimers({ now }));
afterEach(() => vi.useRealTimers());

/** The text that a page shows and a screen reader reads. */
function textOf(element: ReactElement): string {
  return renderToStaticMarkup(<MantineProvider>{element}</MantineProvider>).replace(/<style.*?<\/style>/gs, "").replace(/<[^>]*>/g, "");
}

const number = (at: number | undefined, of: number | null | undefined) => <Stale at={at} of={of} since>{(n) => `${n} cars`}</Stale>;

test("a fresh number is as it is", () => {
  expect(textOf(number(now - 1000, 7))).toBe("7 cars");
  expect(textOf(number(now, 0))).toBe("0 cars");
});

test("a stale number is the last one, and says since when", () => {
  expect(textOf(number(now - 4000, 7))).toBe(`7 cars stale since ${time(now - 4000)}`);
  expect(textOf(<Since at={now - 4000} />)).toBe(`stale since ${time(now - 4000)}`);
  expect(textOf(<Since at={now} />)).toBe("");
});

test.each([undefined, null])("%s is a question mark and no zero", (value) => {
  expect(textOf(number(now, value))).toBe("?not known yet");
});

test("a number whose age nobody knows is not shown as fresh", () => {
  expect(textOf(number(undefined, 7))).toBe("7 cars of an unknown time");
});
