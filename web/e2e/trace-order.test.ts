import { expect, test } from "vitest";
import type { RideEvent } from "../src/api/types";
import { queueMessages } from "../src/rider/queue-steps";
import { sql } from "./world";

const wanted = 100; // rides

/** The events of every ride whose request was received, as the database has them. */
async function histories(): Promise<RideEvent[][]> {
  const rows = await sql<RideEvent>(
    `SELECT seq::int AS seq, ride_id::text AS ride_id, kind, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at, by, attempt, data
     FROM ride.ride_events WHERE ride_id IN (SELECT ride_id FROM ride.ride_events WHERE kind = 'received') ORDER BY ride_id, seq`);

  const rides = new Map<string, RideEvent[]>();
  for (const e of rows) rides.set(e.ride_id, [...(rides.get(e.ride_id) ?? []), e]);
  return [...rides.values()];
}

test("no ride of the demo shows a message received before it was sent", async () => {
  await expect.poll(async () => (await histories()).length, { timeout: 220_000, interval: 5000 }).toBeGreaterThanOrEqual(wanted);

  const rides = await histories();
  let messages = 0;
  let notedLate = 0; // by the relay, after the worker had noted the receive
  let clocks = 0; // SQS's time lies after the database's of the receive

  for (const events of rides) {
    const firstReceive = (id: unknown) => events.find((e) => e.kind === "received" && e.data.message_id === id);

    for (const { steps } of queueMessages(events)) {
      const sent = steps.findIndex((s) => s.name.startsWith("sent"));
      const received = steps.findIndex((s) => s.name.startsWith("received, try 1,"));
      if (received < 0) continue;

      messages++;
      expect(sent, JSON.stringify(steps)).toBeGreaterThanOrEqual(0);
      expect(sent).toBeLessThan(received);
      expect(steps[sent]?.after).toBeLessThanOrEqual(steps[received]?.after ?? NaN);
    }

    for (const queued of events.filter((e) => e.kind === "queued")) {
      const first = firstReceive(queued.data.message_id);
      if (!first) continue;
      if (first.seq < queued.seq) notedLate++;
      if (Date.parse(String(first.data.sent_at)) > Date.parse(first.at)) clocks++;
    }
  }

  expect(messages).toBeGreaterThanOrEqual(wanted);
  expect(clocks, "SQS's time, as the database has it").toBe(0); // all on one machine
  console.log(`${rides.length} rides, ${messages} messages: 0 shown as received before they were sent; the relay noted ${notedLate} after their receive`);
});
