import { useState } from "react";

const key = "tandem.learn";

type Stored = Record<string, Record<number, string>>; // the letters, by chapter and prediction

/** What was predicted, as the browser remembers it. It may not: then it is remembered while the page is open. */
export function stored(storage: Pick<Storage, "getItem">): Stored {
  try {
    const all: unknown = JSON.parse(storage.getItem(key) ?? "{}");
    return isStored(all) ? all : {};
  } catch {
    return {}; // not readable, or not allowed
  }
}

const isObject = (v: unknown): v is Record<string, unknown> => typeof v === "object" && v !== null && !Array.isArray(v);
const isStored = (v: unknown): v is Stored => isObject(v) && Object.values(v).every((c) => isObject(c) && Object.values(c).every((l) => typeof l === "string"));

/** A chapter's predictions, and how one is made. They stay in this browser. */
export function usePredictions(chapter: string): [Record<number, string>, (index: number, letter: string) => void] {
  const [made, setMade] = useState(() => stored(localStorage)[chapter] ?? {});

  const predict = (index: number, letter: string) => {
    const mine = { ...made, [index]: letter };
    setMade(mine);
    try {
      localStorage.setItem(key, JSON.stringify({ ...stored(localStorage), [chapter]: mine })); // other tabs have written, too
    } catch {
      // It is full, or not allowed.
    }
  };

  return [made, predict];
}
