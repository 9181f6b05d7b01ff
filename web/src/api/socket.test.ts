import { afterEach, expect, test, vi } from "vitest";
import { LiveSocket, type Connection } from "./socket";

afterEach(() => vi.unstubAllGlobals());

test("asking for a retry while one is under way opens no second socket", async () => {
  const opened: string[] = [];
  let answer: (r: Response) => void = () => undefined;
  vi.stubGlobal("location", { protocol: "http:", host: "tandem.test" });
  vi.stubGlobal("fetch", vi.fn(() => new Promise<Response>((resolve) => (answer = resolve))));
  vi.stubGlobal("WebSocket", class {
    static OPEN = 1;
    readyState = 0;

    constructor(url: string) {
      opened.push(url);
    }

    close() {}
  });

  const connections: Connection[] = [];
  const live = new LiveSocket("viewer", { onFrame() {}, onText() {}, onConnection: (c) => connections.push(c) });

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
