import { expect, test } from "vitest";
import { decodeFrame, headBytes, vehicleBytes } from "./frame";

/** A frame that says it has `count` vehicles, with room for `room` of them. */
function frameOf(count: number, room = count): DataView<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(headBytes + room * vehicleBytes));
  view.setUint8(0, 1);
  view.setUint8(1, 2);
  view.setUint16(2, count, true);
  view.setFloat64(8, 1_800_000_000_123, true);

  return view;
}

test("a frame is read as the server lays it out", () => {
  const view = frameOf(1);
  view.setUint32(4, 250, true);
  view.setUint32(16, 4_000_000_001, true);
  view.setInt32(20, -349_066_000, true);
  view.setInt32(24, -561_997_000, true);
  view.setUint16(28, 1234, true);
  view.setUint16(30, 35_999, true);
  view.setFloat64(32, 1_800_000_000_000, true);
  view.setUint32(40, 87, true);

  expect(decodeFrame(view.buffer)).toEqual({
    all: true,
    serverTime: 1_800_000_000_123,
    behind: 250,
    vehicles: [
      { id: 4_000_000_001, lat: -34.9066, lon: -56.1997, speed: 12.34, heading: 359.99, at: 1_800_000_000_000, behind: 87 },
    ],
  });
});

test("a speed or a heading that is not known is missing, which is not zero", () => {
  const view = frameOf(3);
  view.setUint32(16 + 28, 1, true);
  view.setUint32(16 + vehicleBytes + 28, 2, true);

  const { vehicles } = decodeFrame(view.buffer);
  expect(vehicles.map((v) => [v.speed, v.heading])).toEqual([[undefined, 0], [0, undefined], [0, 0]]);
});

test("how far behind the map is may be unknown, which is not zero", () => {
  const view = frameOf(0);
  expect(decodeFrame(view.buffer).behind).toBe(0);

  view.setUint32(4, 0xffffffff, true);
  expect(decodeFrame(view.buffer).behind).toBeUndefined();
});

test("a frame may have no vehicle", () => {
  expect(decodeFrame(frameOf(0).buffer).vehicles).toEqual([]);
});

test("a frame that is cut off, or has another version, is refused", () => {
  expect(() => decodeFrame(frameOf(2, 1).buffer)).toThrow("cannot hold 2");

  const other = frameOf(0);
  other.setUint8(0, 2);
  expect(() => decodeFrame(other.buffer)).toThrow("Reload");

  expect(() => decodeFrame(new ArrayBuffer(3))).toThrow();
});
