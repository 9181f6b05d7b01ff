import { Loader } from "@mantine/core";

/** Loading turns while something is on its way, and a screen reader hears what. */
export function Loading({ what = "" }: { what?: string }) {
  // A name alone is not heard: an element without a role cannot have one.
  return <Loader role="status" aria-label={`Loading ${what}`.trim()} />;
}
