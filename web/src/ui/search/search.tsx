import { lazy, Suspense, useEffect, useState } from "react";
import classes from "./search.module.css";

// Most visits search for nothing: the dialog is fetched when it is asked for.
const SearchDialog = lazy(() => import("./search-dialog"));

const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** The button that opens the search, and the keys that do the same: Ctrl-K or Cmd-K. */
export function Search() {
  const [open, setOpen] = useState(false);

  useEffect(() => {
    const pressed = (e: KeyboardEvent) => {
      if (e.key.toLowerCase() !== "k" || !(e.ctrlKey || e.metaKey) || e.altKey || e.shiftKey) return;

      e.preventDefault(); // some browsers have a search of their own there
      setOpen(true);
    };
    addEventListener("keydown", pressed);

    return () => removeEventListener("keydown", pressed);
  }, []);

  return (
    <>
      <button type="button" className={classes.open} aria-haspopup="dialog" aria-keyshortcuts="Control+K Meta+K" onClick={() => setOpen(true)} data-testid="search">
        <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden fill="none" stroke="currentColor" strokeWidth="1.8" strokeLinecap="round">
          <circle cx="9" cy="9" r="5.6" />
          <path d="M13.2 13.2 17 17" />
        </svg>
        <span className={classes.words}>Find a page or an id</span>
        <kbd aria-hidden>{isMac ? "⌘ K" : "Ctrl K"}</kbd>
      </button>
      {open && <Suspense><SearchDialog onClose={() => setOpen(false)} /></Suspense>}
    </>
  );
}
