import { city, page, type Scheme } from "../tokens";

/** The colours of the map and of what is drawn on it: the city's, and the tokens of the page around it. */
const mapColours = (scheme: Scheme) => ({
  ...city[scheme],
  car: page[scheme].stream, // each car on the map is a part of the stream
  head: page[scheme]["stream-text"], // a car that has a tail: it stands out from it
  carEdge: page[scheme]["on-action"],
  own: page[scheme].text, // the car, the ends and the way of the reader's own ride
  over: page[scheme].over, // a label beside a pin
  line: page[scheme].line,
});

export type MapColours = { [K in keyof ReturnType<typeof mapColours>]: string };

export const light: MapColours = mapColours("light");
export const dark: MapColours = mapColours("dark");
