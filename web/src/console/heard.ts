import { here, older } from "../api/age";
import type { Overview } from "../api/types";

/** An overview, and when what it says was true, by this browser's clock. */
export interface Heard {
  overview: Overview;
  at: (serverTime: string | null | undefined) => number | undefined;
}

export function heardOf(overview: Overview | undefined, askedAt: number): Heard | undefined {
  if (!overview) return undefined;

  const answered = { serverNow: Date.parse(overview.at), askedAt };
  return { overview, at: (serverTime) => here(serverTime, answered) };
}

/** What a reader says is as old as its answer, or as the stream's answer to it. */
export const readerAt = ({ at }: Heard, r: Overview["readers"][number]): number | undefined =>
  r.stream_at === null ? at(r.heard_at) : older(at(r.heard_at), at(r.stream_at));
