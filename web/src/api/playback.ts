// Binary pages of playback. services/history/doc.go describes their layout.
import { decodeVehicle, headBytes, vehicleBytes, type Vehicle } from "./frame";

/** A driver's point, and when it arrived, in ms. */
export interface PlayedPoint extends Omit<Vehicle, "id" | "behind"> {
  driver: string;
  arrived: number;
}

export interface PlaybackPage {
  points: PlayedPoint[];
  next: string | undefined; // undefined: it is the last page
}

const kind = 3;
const cut = "A page of playback is not whole.";

/** Decodes one page. It throws an error if the page is cut off or has another version. */
export function decodePlayback(buffer: ArrayBuffer): PlaybackPage {
  const view = new DataView(buffer);
  // Another version may have another layout: we do not guess.
  if (buffer.byteLength < headBytes || view.getUint8(0) !== 1 || view.getUint8(1) !== kind) {
    throw new Error("The server sends pages of playback that this page does not know. Reload the page.");
  }

  const drivers = view.getUint16(2, true);
  const count = view.getUint32(4, true);
  const from = view.getFloat64(8, true);

  // The length is checked before any point is read, so a bad page shows none.
  const names = decodeTexts(buffer, headBytes + count * vehicleBytes);
  if (names.length !== drivers + 1) throw new Error(cut);
  const next = names.pop();

  const points = Array.from({ length: count }, (_, i) => {
    const { id, behind, ...fix } = decodeVehicle(view, headBytes + i * vehicleBytes);
    const driver = names[id];
    if (driver === undefined) throw new Error("A point of playback has no driver.");
    return { ...fix, driver, arrived: from + behind };
  });
  return { points, next: next === "" ? undefined : next };
}

/** The texts from an offset to the end, each behind its length. */
function decodeTexts(buffer: ArrayBuffer, offset: number): string[] {
  const bytes = new Uint8Array(buffer);
  const utf8 = new TextDecoder();
  const texts: string[] = [];

  for (let at = offset; at !== bytes.length; ) {
    const end = at + 1 + (bytes[at] ?? 0);
    if (end > bytes.length) throw new Error(cut);
    texts.push(utf8.decode(bytes.subarray(at + 1, end)));
    at = end;
  }
  return texts;
}
