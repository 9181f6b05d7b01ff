import { Autocomplete, Loader } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useEffect, useState } from "react";
import { rider } from "../api/client";
import type { Place } from "../api/types";

interface Props {
  label: string;
  testid: string;
  place: Place | undefined;
  active: boolean; // the next click on the map sets this one
  onPlace: (place: Place | undefined) => void;
  onFocus: () => void;
}

const wait = 200;

export const placeName = (p: Place): string => p.label || `${p.lat.toFixed(5)}, ${p.lon.toFixed(5)}`;

/** One end of a trip: searched by address, or set on the map. */
export function PlaceField({ label, testid, place, active, onPlace, onFocus }: Props) {
  const [text, setText] = useState("");
  const [found, setFound] = useState<Place[]>([]);
  const [note, setNote] = useState<string>();
  const [busy, setBusy] = useState(false);
  useEffect(() => setText(place ? placeName(place) : ""), [place]);

  const search = useDebouncedCallback((q: string) => {
    setBusy(true);
    rider
      .places(q)
      .then(({ places }) => {
        setFound(places);
        setNote(places.length ? undefined : "No such address in Montevideo. Try the street alone, or click on the map.");
      })
      .catch((e: Error) => setNote(e.message))
      .finally(() => setBusy(false));
  }, wait);

  const names = [...new Set(found.map(placeName))];
  return (
    <Autocomplete
      label={label}
      data-testid={testid}
      placeholder={active ? "Click on the map, or type an address" : "Address"}
      value={text}
      data={names}
      filter={({ options }) => options}
      rightSection={busy ? <Loader size="xs" /> : null}
      description={note}
      onFocus={onFocus}
      onChange={(value) => {
        setText(value);
        if (place && value !== placeName(place)) onPlace(undefined);
        setNote(undefined);
        if (value.trim().length > 1) search(value);
        else setFound([]);
      }}
      onOptionSubmit={(value) => onPlace(found.find((p) => placeName(p) === value))}
    />
  );
}
