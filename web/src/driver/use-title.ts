import { useEffect } from "react";

/** Another title of the tab, as long as there is one: an offer is seen from the tab beside. */
export function useTitle(title: string | undefined): void {
  useEffect(() => {
    if (!title) return;

    const before = document.title;
    document.title = title;
    return () => {
      document.title = before;
    };
  }, [title]);
}
