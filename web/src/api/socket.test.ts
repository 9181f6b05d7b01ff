import { afterEach, expect, test, vi } from "vitest";
import { LiveSocket, type Connection } from "./socket";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test("asking for a retry while one is under way opens no second socket", async () => {
  const opened: string[] = [];
  let answer: (r: Response) => void = () => undefined;
  vi.stubGlobal("location", { protocol: "http:", host: "tandem.test" });
  vi.stubGlobal("fetch", vi.fn(() => new Promise<Response>((resolve) => (answer = resolve))));
  vi.stubGlobal("WebSocket", class {
    static CONNECTING = 0;
    static OPEN = 1;
    readyState = 0;

    constructor(url: string) {
      opened.push(url);
    }

    close() {}
  });

  const connections: Connection[] = [];
  const live = new LiveSocket("viewer", { onFrame() {}, onUnreadable() {}, onText() {}, onConnection: (c) => connections.push(c) });

  // While the ticket is fetched.
  live.retryNow();
  expect(fetch).toHaveBeenCalledTimes(1);

  // While the socket opens.
  answer(Response.json({ ticket: "a b" }));
  await vi.waitFor(() => expect(opened).toEqual(["ws://tandem.test/viewer/socket?ticket=a%20b"]));
  live.retryNow();
  expect(fetch).toHaveBeenCalledTimes(1);

  live.close();
  expect(connections).toEqual(["connecting"]);
});

class FakeSocket {
  static CONNECTING = 0;
  static OPEN = 1;
  static all: FakeSocket[] = [];
  readyState = FakeSocket.OPEN;
  onopen: (() => void) | null = null;
  onmessage: ((m: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;

  constructor() {
    FakeSocket.all.push(this);
    queueMicrotask(() => this.onopen?.());
  }

  send() {}
  close() {}
}

function open() {
  vi.useFakeTimers();
  FakeSocket.all = [];
  vi.stubGlobal("location", { protocol: "http:", host: "tandem.test" });
  vi.stubGlobal("fetch", () => Promise.resolve(Response.json({ ticket: "t" })));
  vi.stubGlobal("WebSocket", FakeSocket);
  const seen = { frames: 0, unreadable: 0, connections: [] as Connection[] };
  const live = new LiveSocket("viewer", {
    onFrame: () => seen.frames++, onUnreadable: () => seen.unreadable++, onText() {}, onConnection: (c) => seen.connections.push(c),
  });

  return { live, seen };
}

const emptyFrame = () => {
  const view = new DataView(new ArrayBuffer(16));
  view.setUint8(0, 1);
  view.setUint8(1, 1);
  return view.buffer;
};

test("a frame that cannot be decoded is told, and ends nothing", async () => {
  const { live, seen } = open();
  await vi.advanceTimersByTimeAsync(1);
  FakeSocket.all[0]?.onmessage?.({ data: new ArrayBuffer(3) });
  FakeSocket.all[0]?.onmessage?.({ data: emptyFrame() });

  expect(seen).toMatchObject({ frames: 1, unreadable: 1 });
  live.close();
});

test("a socket that is silent is taken for lost, and replaced", async () => {
  const { live, seen } = open();
  await vi.advanceTimersByTimeAsync(1);
  await vi.advanceTimersByTimeAsync(9_000);
  FakeSocket.all[0]?.onmessage?.({ data: emptyFrame() });
  await vi.advanceTimersByTimeAsync(9_000);
  expect(seen.connections).toEqual(["connecting", "live"]);

  await vi.advanceTimersByTimeAsync(3_000);
  expect(seen.connections).toEqual(["connecting", "live", "lost", "connecting", "live"]);
  expect(FakeSocket.all).toHaveLength(2);

  // A person need not wait for that.
  live.retryNow();
  await vi.advanceTimersByTimeAsync(1);
  expect(FakeSocket.all).toHaveLength(3);
  live.close();
});
