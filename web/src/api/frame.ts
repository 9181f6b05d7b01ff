// Binary frames of positions. services/mapfeed/doc.go describes their layout.

export const headBytes = 16;
export const vehicleBytes = 40;
const unknown = 0xffffffff;
const [speedUnknown, headingUnknown] = [1, 2]; // flags of a vehicle

export interface Vehicle {
  id: number;
  lat: number;
  lon: number;
  speed?: number; // metres a second; missing here and below: not known
  heading?: number; // degrees clockwise from north
  at: number; // fix time, ms
  behind: number; // ms from the stream to the map
}

export interface Frame {
  all: boolean; // the frame has every vehicle in the view: others are no longer there
  serverTime: number;
  behind?: number; // ms that the map may be behind the stream; missing: nobody knows
  vehicles: Vehicle[];
}

/** Decodes one binary frame. It throws an error if the frame is cut off or has another version. */
export function decodeFrame(buffer: ArrayBuffer): Frame {
  const view = new DataView(buffer);
  // Another version may have another layout: we do not guess.
  if (buffer.byteLength < headBytes || view.getUint8(0) !== 1) {
    throw new Error("The server sends map frames that this page does not know. Reload the page.");
  }

  // The length is checked before any vehicle is read, so a bad frame shows none.
  const kind = view.getUint8(1);
  const count = view.getUint16(2, true);
  if ((kind !== 1 && kind !== 2) || buffer.byteLength !== headBytes + count * vehicleBytes) {
    throw new Error(`A map frame of ${buffer.byteLength} bytes cannot hold ${count} vehicles.`);
  }

  const vehicles = Array.from({ length: count }, (_, i) => decodeVehicle(view, headBytes + i * vehicleBytes));

  const behind = view.getUint32(4, true);
  return { all: kind === 2, serverTime: view.getFloat64(8, true), behind: behind === unknown ? undefined : behind, vehicles };
}

/** Decodes the 40 bytes of a vehicle; those of a played point are the same. */
export function decodeVehicle(view: DataView, offset: number): Vehicle {
  const flags = view.getUint32(offset + 28, true);

  return {
    id: view.getUint32(offset, true),
    lat: view.getInt32(offset + 4, true) / 1e7,
    lon: view.getInt32(offset + 8, true) / 1e7,
    speed: flags & speedUnknown ? undefined : view.getUint16(offset + 12, true) / 100,
    heading: flags & headingUnknown ? undefined : view.getUint16(offset + 14, true) / 100,
    at: view.getFloat64(offset + 16, true),
    behind: view.getUint32(offset + 24, true),
  };
}
