import { afterEach, expect, test, vi } from "vitest";
import { driver, rider, signedOut } from "./client";

afterEach(() => vi.unstubAllGlobals());

test("all of a ride's events are read, page by page", async () => {
  const events = Array.from({ length: 450 }, (_, i) => ({ seq: 10 + 2 * i, ride_id: "r" }));
  vi.stubGlobal("fetch", (path: string) => {
    const after = Number(new URL(path, "http://tandem").searchParams.get("after") ?? 0);
    const page = events.filter((e) => e.seq > after).slice(0, 200);

    return Promise.resolve(Response.json({ events: page, next: page.at(-1)?.seq ?? after }));
  });

  expect((await rider.events("r")).map((e) => e.seq)).toEqual(events.map((e) => e.seq));
});

test("a request that nobody may make any more is told to the pages of its role alone", async () => {
  vi.stubGlobal("fetch", () => Promise.resolve(Response.json({ detail: "Sign in again." }, { status: 401 })));
  const heard: string[] = [];
  for (const role of ["rider", "driver"]) signedOut.addEventListener(role, () => heard.push(role));

  await expect(driver.state()).rejects.toMatchObject({ status: 401, detail: "Sign in again." });
  expect(heard).toEqual(["driver"]);
});
