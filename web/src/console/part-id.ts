import { useEffect } from "react";

export type PartKind = "queue" | "worker" | "shard" | "reader" | "service";

/** The id of a part's row on the console, for links to it. */
export const partId = (kind: PartKind, name: string): string => `${kind}-${name}`;

/** Goes to the row that the address names, once the rows are there, and whenever it names another. */
export function useNamedPart(): void {
  useEffect(() => {
    const show = () => {
      const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
      if (!row) return;

      row.scrollIntoView({ block: "center" });
      row.tabIndex = -1; // it takes the focus, but no tab stops there
      row.focus();
    };
    show();
    addEventListener("hashchange", show);

    return () => removeEventListener("hashchange", show);
  }, []);
}
