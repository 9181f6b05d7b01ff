import { Table, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import { ageOf } from "../api/age";
import { whole } from "../api/format";
import { sinceText } from "../ui/stale";
import { carsInView, headingWord, kmh, mostRows, type CarRow } from "./cars-in-view";
import { addressOf } from "./city-files";
import type { Fleet } from "./fleet";
import { metresBetween } from "./geo";
import type { LatLon, Projection } from "./projection";

interface Props {
  fleet: Fleet;
  clock: () => number; // the time that the map shows
  projection: () => Projection | undefined;
}

const again = 1000; // ms between two lists

/** The cars that the map shows, for who does not see it: a row each. It is listed again each second, while somebody looks. */
export function CarsList({ fleet, clock, projection }: Props) {
  const [{ rows, now }, setList] = useState<{ rows: CarRow[]; now: number }>({ rows: [], now: clock() });
  const near = usePlaces();

  useEffect(() => {
    const list = () => {
      const p = projection();
      if (p && !document.hidden) setList({ rows: carsInView(fleet, p, clock()), now: clock() });
    };
    list();
    const timer = setInterval(list, again);
    return () => clearInterval(timer);
  }, [fleet, clock, projection]);

  const stale = ageOf(fleet.heardAt, now) !== "fresh";

  return (
    <>
      <Text size="sm" data-testid="cars-listed" data-value={rows.length}>
        {whole(rows.length)} cars lie within the map{rows.length > mostRows && `, of which these are ${mostRows}`}. {stale && `They are not heard from: ${sinceText(fleet.heardAt)}.`}
      </Text>
      <Table horizontalSpacing={6}>
        <Table.Thead><Table.Tr>{["Car", "Near", "Drives", "Last point"].map((h) => <Table.Th key={h} scope="col">{h}</Table.Th>)}</Table.Tr></Table.Thead>
        <Table.Tbody>
          {rows.slice(0, mostRows).map((r) => (
            <Table.Tr key={r.vehicle} data-testid="car-row" data-vehicle={r.vehicle} data-lat={r.lat.toFixed(6)} data-lon={r.lon.toFixed(6)} data-speed={r.speed}>
              <Table.Th scope="row">{r.vehicle}</Table.Th>
              <Table.Td>{near(r) ?? `${r.lat.toFixed(4)}, ${r.lon.toFixed(4)}`}</Table.Td>
              <Table.Td>{headingWord(r.heading)}, {kmh(r.speed)}</Table.Td>
              <Table.Td>{r.heardAt === undefined ? "?" : `${Math.max(0, Math.round((now - r.heardAt) / 1000))} s ago`}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </>
  );
}

interface Labels {
  features: { geometry: { coordinates: [number, number] }; properties: { name: string; rank: number } }[];
}

const nearBy = 3000; // metres

/** The name of the nearest part of the city, from the file that the map has fetched already. */
function usePlaces(): (at: LatLon) => string | undefined {
  const [places, setPlaces] = useState<(LatLon & { name: string })[]>([]);

  useEffect(() => {
    fetch(addressOf("labels")).then((r) => r.json() as Promise<Labels>).then(
      ({ features }) => setPlaces(features.filter((f) => f.properties.rank > 1).map(({ geometry: { coordinates: [lon, lat] }, properties: { name } }) => ({ lat, lon, name }))),
      () => undefined, // the coordinates stay
    );
  }, []);

  return (at) => {
    let [best, name] = [nearBy, undefined as string | undefined];
    for (const place of places) {
      const metres = Math.hypot(...metresBetween(place, at));
      if (metres < best) [best, name] = [metres, place.name];
    }
    return name;
  };
}
