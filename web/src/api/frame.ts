// Frames of positions, as services/mapfeed/doc.go lays them out.

export const headBytes = 16;
export const vehicleBytes = 40;

export interface Vehicle {
  id: number;
  lat: number;
  lon: number;
  speed: number; // metres a second
  heading: number; // degrees clockwise from north
  at: number; // fix time, ms
  behind: number; // ms from the stream to the map
}

export interface Frame {
  all: boolean; // every vehicle in the view: others are gone
  serverTime: number;
  vehicles: Vehicle[];
}

/** Decodes one binary frame; throws where it is none that we know. */
export function decodeFrame(buffer: ArrayBuffer): Frame {
  const view = new DataView(buffer);
  if (buffer.byteLength < headBytes || view.getUint8(0) !== 1) {
    throw new Error("This page is older than the map's frames. Reload it.");
  }
  const kind = view.getUint8(1);
  const count = view.getUint16(2, true);
  if ((kind !== 1 && kind !== 2) || buffer.byteLength !== headBytes + count * vehicleBytes) {
    throw new Error(`A map frame of ${buffer.byteLength} bytes does not hold ${count} vehicles.`);
  }
  const vehicles = Array.from({ length: count }, (_, i) => decodeVehicle(view, headBytes + i * vehicleBytes));
  return { all: kind === 2, serverTime: view.getFloat64(8, true), vehicles };
}

function decodeVehicle(view: DataView, at: number): Vehicle {
  return {
    id: view.getUint32(at, true),
    lat: view.getInt32(at + 4, true) / 1e7,
    lon: view.getInt32(at + 8, true) / 1e7,
    speed: view.getUint16(at + 12, true) / 100,
    heading: view.getUint16(at + 14, true) / 100,
    at: view.getFloat64(at + 16, true),
    behind: view.getUint32(at + 24, true),
  };
}
