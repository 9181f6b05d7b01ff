import { MantineProvider } from "@mantine/core";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import type { Trip } from "./autopilot";
import { PointsLine } from "./duty-panel";

const trip: Trip = {
  position: { lat: -34.9, lon: -56.2, heading: 0, speed: 0 }, route: undefined, left: undefined,
  sent: 7, sentAt: 0, unsent: 600, dropped: 0, refused: 0, error: undefined, retried: true,
};
const line = (t: Partial<Trip>) => renderToStaticMarkup(<MantineProvider><PointsLine trip={{ ...trip, ...t }} /></MantineProvider>);

test("a driver sees what waits, and what was dropped", () => {
  expect(line({})).toContain("600 wait to be sent");
  expect(line({})).not.toContain("dropped");
  expect(line({ dropped: 12 })).toContain("At most 600 can wait: the oldest were dropped, 12 so far.");
});
