import { expect, test } from "vitest";
import { ageOf, here, older, staleAfter } from "./age";

const now = 1_800_000_000_000;

test("data is stale when it is old, and unknown when nobody said when it was true", () => {
  expect(ageOf(now - staleAfter, now)).toBe("fresh");
  expect(ageOf(now - staleAfter - 1, now)).toBe("stale");
  expect(ageOf(0, now)).toBe("stale");
  expect(ageOf(undefined, now)).toBe("unknown");
  expect(ageOf(() => now - 10_000, now)).toBe("stale");
});

test("a server's time is as long ago as it says, whatever its clock shows", () => {
  const answered = { serverNow: Date.parse("2020-01-01T00:00:10Z"), askedAt: now };

  expect(here("2020-01-01T00:00:04Z", answered)).toBe(now - 6000);
  expect(here(answered.serverNow - 500, answered)).toBe(now - 500);
  expect(here("2020-01-01T00:00:11Z", answered)).toBe(now); // nothing is of the future
  expect(here(null, answered)).toBeUndefined();
});

test("a value is as old as the older of its parts, and unknown if one is", () => {
  expect(older(5, 3)).toBe(3);
  expect(older(5, undefined)).toBeUndefined();
});
