import { describe, expect, test } from "vitest";
import { Problem } from "../../api/client";
import type { Overview, Ride, RideEvent } from "../../api/types";
import { find, isIdOf, pagesLike, type Sources } from "./find";

const rideId = "0198c0de-1111-4222-8333-444455556666";
const other = "0198c0de-9999-4222-8333-444455556666";
const messageId = "8744aaaa-1111-4222-8333-444455556666";
const place = { lat: -34.9, lon: -56.2, label: "Zabala" };
const ride = (id: string) => ({ id, state: "picked_up", pickup: place, dropoff: place }) as unknown as Ride;

const overview = {
  queues: [{ name: "ride-requests" }], workers: [{ name: "dispatch-1", pid: 4711 }],
  shards: [{ shard: "shardId-000000000002" }], readers: [{ reader: "history" }], services: [{ name: "history", pid: 4712 }],
} as unknown as Overview;

const gone = () => Promise.reject(new Problem(404, "not here"));

/** Sources that answer, to the roles that have signed in. */
function signedIn(...roles: string[]): Sources {
  return {
    whoAmI: (role) => Promise.resolve(roles.includes(role) ? { subject: `${role}-7` } : undefined),
    ownRides: () => Promise.resolve({ rides: [ride(rideId)] }),
    events: () => Promise.resolve([{ data: { message_id: messageId } } as unknown as RideEvent]),
    ride: (role, id) => (role === "admin" && id === other ? Promise.resolve(ride(other)) : gone()),
    lastPoint: (d) => (d === "sim-1-d-0014" ? Promise.resolve({ lat: -34.9, lon: -56.2 }) : gone()),
    overview: () => Promise.resolve(overview),
  };
}

const everybody = signedIn("rider", "driver", "admin");
const hrefs = async (text: string, from = everybody) => (await find(text, from)).hits.map((h) => h.href);

describe("find", () => {
  test.each([
    ["a ride", rideId, [`/rider?ride=${rideId}`]],
    ["a ride as the pages shorten it", "0198c0de…6666", [`/rider?ride=${rideId}`]],
    ["a message", messageId, [`/rider?ride=${rideId}`]],
    ["a driver", "sim-1-d-0014", ["/?box=-56.20400,-34.90400,-56.19600,-34.89600"]],
    ["oneself as a rider", "rider-7", ["/rider"]],
    ["a shard", "shardId-000000000002", ["/admin#shard-shardId-000000000002"]],
    ["a process by its pid", "4711", ["/admin#worker-dispatch-1"]],
    ["a name that two parts have", "history", ["/admin#reader-history", "/admin#service-history"]],
  ])("leads to %s", async (_, text, to) => expect(await hrefs(text)).toEqual(to));

  test("says what is there though no page shows it", async () => {
    const { hits, note } = await find(other, everybody);
    expect(hits).toEqual([]);
    expect(note).toContain("Ride 0198c0de…6666 is there, picked up; only the page of its own rider shows it.");
  });

  test("says where it has not looked, and asks nothing there", async () => {
    const nobody = { ...signedIn(), ownRides: gone, overview: gone };
    const { hits, note } = await find(rideId, nobody);
    expect(hits).toEqual([]);
    expect(note).toMatch(/^Nothing here has this id\. Not looked at: your rides .*; drivers, workers and shards/);
  });

  test("says that a part of Tandem has not answered, and shows what the others found", async () => {
    const { hits, note } = await find(rideId, { ...everybody, overview: () => Promise.reject(new Problem(503, "away")) });
    expect(hits).toHaveLength(1);
    expect(note).toContain("Not all of Tandem has answered");
  });

  test.each(["💥💥💥", "../../admin", "<b>bold</b>", "ab", "a b c", "مرحبا"])("asks nobody for %s", async (text) => {
    const asks = () => Promise.reject(new Error("asked"));
    expect((await find(text, { ...everybody, whoAmI: asks })).hits).toEqual([]);
  });

  test("finds pages by name, and all of them for nothing", () => {
    expect(pagesLike(" CONS ").map((p) => p.href)).toEqual(["/admin"]);
    expect(pagesLike("playback").map((p) => p.href)).toEqual(["/admin/playback"]);
    expect(pagesLike("")).toHaveLength(7);
  });

  test("an id is meant by its beginning, not by a letter or its middle", () => {
    expect([isIdOf("0198", rideId), isIdOf("0198c0de-1111", rideId), isIdOf("019", rideId), isIdOf("1111", rideId), isIdOf("0198…7777", rideId)]).toEqual([true, true, false, false, false]);
  });
});
