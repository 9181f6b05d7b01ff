import { expect, test } from "vitest";
import { countdownOf, leftOf } from "./countdown";

const offer = { made_at: "2026-11-27T10:00:00Z", expires_at: "2026-11-27T10:00:25Z", at: "2026-11-27T10:00:05Z" };

test("a countdown begins where the offer is, not where the page was opened", () => {
  const asked = Date.parse(offer.at);
  const c = countdownOf(offer, asked);
  expect(c).toEqual({ ends: Date.parse(offer.expires_at), whole: 25_000 });
  expect(leftOf(c, asked)).toBeCloseTo(0.8);
});

test("a clock that is wrong by a day changes nothing", () => {
  const asked = Date.parse(offer.at) + 86_400_000;
  expect(leftOf(countdownOf(offer, asked), asked)).toBeCloseTo(0.8);
});

test("it falls evenly, and ends at nothing", () => {
  const c = countdownOf(offer, 0);
  expect([0, 5_000, 10_000, 20_000, 60_000].map((t) => leftOf(c, t))).toEqual([0.8, 0.6, 0.4, 0, 0]);
});
