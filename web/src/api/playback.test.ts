import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { headBytes, vehicleBytes } from "./frame";
import { decodePlayback } from "./playback";

// The bytes that services/history/playback_test.go holds its encoder against.
const hex = readFileSync(new URL("playback.golden.hex", import.meta.url), "utf8").replace(/\s/g, "");
const golden = () => Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));

test("a page is read as the server writes it", () => {
  expect(decodePlayback(golden().buffer)).toEqual({
    points: [
      { driver: "d-017", lat: -34.9066, lon: -56.1997, speed: 12.34, heading: 359.99, at: 1_799_999_999_913, arrived: 1_800_000_000_000 },
      { driver: "sim_1-d-0002", lat: 41.1496, lon: -8.6109, speed: undefined, heading: undefined, at: 1_800_000_001_163, arrived: 1_800_000_001_250 },
      { driver: "d-017", lat: -34.9067, lon: -56.2, speed: 0, heading: 0, at: 1_800_003_599_913, arrived: 1_800_003_600_000 },
    ],
    next: "1800003600000000.1800000003599.d-017",
  });
});

test("a page without points may be the last", () => {
  const empty = new Uint8Array(headBytes + 1);
  [empty[0], empty[1]] = [1, 3];
  expect(decodePlayback(empty.buffer)).toEqual({ points: [], next: undefined });
});

test("a page that is cut short anywhere, or too long, is refused", () => {
  const whole = golden();
  for (let length = 0; length < whole.length; length++) {
    expect(() => decodePlayback(whole.slice(0, length).buffer), `${length} bytes`).toThrow();
  }
  expect(() => decodePlayback(Uint8Array.of(...whole, 0).buffer)).toThrow("not whole");
});

test("another version or kind is refused, and so is a point of a driver that is not listed", () => {
  for (const [at, value] of [[0, 2], [1, 2]] as const) {
    const other = golden();
    other[at] = value;
    expect(() => decodePlayback(other.buffer)).toThrow("Reload");
  }

  const stranger = golden();
  stranger[headBytes + 2 * vehicleBytes] = 2;
  expect(() => decodePlayback(stranger.buffer)).toThrow("no driver");
});
