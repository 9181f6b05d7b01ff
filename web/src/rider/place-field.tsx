import { Autocomplete, Loader } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useEffect, useState, type KeyboardEvent, type Ref } from "react";
import { rider } from "../api/client";
import { placeName } from "../api/format";
import type { Place } from "../api/types";
import { FirstFound } from "./first-found";

interface Props {
  label: string;
  testid: string;
  place: Place | undefined;
  active: boolean; // the next click on the map sets this one
  onPlace: (place: Place | undefined) => void;
  onFocus: () => void;
  onChosen: () => void; // from the list, so that the next thing is to be done
  ref?: Ref<HTMLInputElement> | undefined;
}

const searchDelay = 200; // ms without a key pressed, so that not each letter is a request
const shortestSearch = 2; // letters
const longestSearch = 66; // letters: in any script at most the 200 bytes that the server takes

/** One end of a trip: searched by address, or chosen on the map. */
export function PlaceField({ label, testid, place, active, onPlace, onFocus, onChosen, ref }: Props) {
  const [text, setText] = useState("");
  const [found, setFound] = useState<Place[]>([]);
  const [note, setNote] = useState<string>();
  const [busy, setBusy] = useState(false);

  // A place that was chosen on the map changes the text as well.
  useEffect(() => setText(place ? placeName(place) : ""), [place]);

  const [first] = useState(() => new FirstFound());

  const choose = (p: Place | undefined) => {
    if (!p) return;
    first.typed();
    onPlace(p);
    onChosen();
  };

  const search = useDebouncedCallback((q: string) => {
    setBusy(true);
    rider
      .places(q)
      .then(({ places }) => {
        setFound(places);
        choose(first.answered(q, places));
        setNote(places.length ? undefined : "No such address was found in Montevideo. Type only the street's name, or click on the map.");
      })
      .catch((e: Error) => setNote(e.message))
      .finally(() => setBusy(false));
  }, searchDelay);

  const onText = (value: string) => {
    setText(value);
    setNote(undefined);
    first.typed();

    // Other text is no longer the chosen place: the trip must not keep it.
    if (place && value !== placeName(place)) onPlace(undefined);

    if (value.trim().length >= shortestSearch) search(value);
    else setFound([]);
  };

  const onKeyDown = (e: KeyboardEvent<HTMLInputElement>) => {
    // With an option marked by the arrows, the list itself takes Enter.
    if (e.key !== "Enter" || place || text.trim().length < shortestSearch || e.currentTarget.getAttribute("aria-activedescendant")) return;

    e.preventDefault();
    choose(first.enter(text));
    if (note) search(text); // it failed, or found nothing: Enter asks once more
  };

  return (
    <Autocomplete
      ref={ref}
      label={label}
      data-testid={testid}
      placeholder={active ? "Click on the map, or type an address" : "Address"}
      maxLength={longestSearch}
      value={text}
      data={[...new Set(found.map(placeName))]}
      filter={({ options }) => options} // the server has searched already
      rightSection={busy ? <Loader size="xs" /> : null}
      description={note}
      comboboxProps={{ shadow: "md" }}
      onFocus={onFocus}
      onKeyDown={onKeyDown}
      onChange={onText}
      onOptionSubmit={(value) => choose(found.find((p) => placeName(p) === value))}
    />
  );
}
