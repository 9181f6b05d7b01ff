export const tailFor = 8_000; // ms that a tail reaches back

/** A fix, and when it was true by the server's clock, in ms. */
export interface Fix {
  lat: number;
  lon: number;
  at: number;
}

const kept = 12; // fixes a vehicle, of which one comes each second: memory is bounded whatever comes
const fields = 3;
const [LAT, LON, AT] = [0, 1, 2] as const;

/** The last fixes of each vehicle: a ring of numbers a row, and the rows are the fleet's. */
export class Tails {
  private data = new Float64Array(64 * kept * fields);
  private added = new Float64Array(64); // how many fixes a row has had

  add(row: number, lat: number, lon: number, at: number): void {
    if (row >= this.added.length) this.grow();
    const count = this.added[row] ?? 0;

    this.data.set([lat, lon, at], (row * kept + (count % kept)) * fields);
    this.added[row] = count + 1;
  }

  clear(row: number): void {
    if (row < this.added.length) this.added[row] = 0;
  }

  /** The fixes of a row since a time, the oldest first. */
  since(row: number, time: number): Fix[] {
    const fixes: Fix[] = [];
    for (let i = this.first(row); i < this.count(row); i++) {
      if (this.value(row, i, AT) >= time) fixes.push({ lat: this.value(row, i, LAT), lon: this.value(row, i, LON), at: this.value(row, i, AT) });
    }
    return fixes;
  }

  /** The way through those fixes. It begins at the time itself, between two fixes: a tail's end moves as smoothly as its car. */
  trace(row: number, time: number, show: (lat: number, lon: number, at: number) => void): void {
    const count = this.count(row);

    for (let i = this.first(row); i < count; i++) {
      const at = this.value(row, i, AT); // no tuple in here: it is called for each fix of each car in each frame
      const lat = this.value(row, i, LAT);
      const lon = this.value(row, i, LON);

      if (at >= time) {
        show(lat, lon, at);
      } else if (i + 1 < count && this.value(row, i + 1, AT) > time) {
        const part = (time - at) / (this.value(row, i + 1, AT) - at);
        show(lat + (this.value(row, i + 1, LAT) - lat) * part, lon + (this.value(row, i + 1, LON) - lon) * part, time);
      }
    }
  }

  private count = (row: number): number => this.added[row] ?? 0;
  private first = (row: number): number => Math.max(0, this.count(row) - kept);

  private value(row: number, i: number, field: number): number {
    return this.data[(row * kept + (i % kept)) * fields + field] ?? 0;
  }

  private grow(): void {
    const [data, added] = [new Float64Array(this.data.length * 2), new Float64Array(this.added.length * 2)];
    data.set(this.data);
    added.set(this.added);
    [this.data, this.added] = [data, added];
  }
}
