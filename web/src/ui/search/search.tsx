import { lazy, Suspense, useEffect, useState, type ComponentType } from "react";
import classes from "./search.module.css";

type Dialog = ComponentType<{ onClose: () => void }>;

// The page comes first. The dialog is fetched while nothing else is done, so that it is
// there with the very frame that answers the press.
let fetched: Dialog | undefined;
const fetchDialog = () =>
  import("./search-dialog").then((m) => {
    fetched = m.default;
    return m;
  });
const LateDialog: Dialog = lazy(fetchDialog);

const whenIdle = (then: () => void): void => {
  if ("requestIdleCallback" in window) requestIdleCallback(then, { timeout: 10_000 });
  else setTimeout(then, 3000); // Safari has no idle callbacks
};

const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** The button that opens the search, and the keys that do the same: Ctrl-K or Cmd-K. */
export function Search() {
  // Which of the two it is stays so while it is open: another one would have lost what was typed.
  const [SearchDialog, setDialog] = useState<Dialog>();
  const open = () => setDialog((old: Dialog | undefined) => old ?? fetched ?? LateDialog);
  const close = () => setDialog(undefined);

  // Without it, the press asks again.
  useEffect(() => whenIdle(() => void fetchDialog().catch(() => undefined)), []);

  useEffect(() => {
    const pressed = (e: KeyboardEvent) => {
      if (e.key.toLowerCase() !== "k" || !(e.ctrlKey || e.metaKey) || e.altKey || e.shiftKey) return;

      e.preventDefault(); // some browsers have a search of their own there
      open();
    };
    addEventListener("keydown", pressed);

    return () => removeEventListener("keydown", pressed);
  }, []);

  return (
    <>
      <button type="button" className={classes.open} aria-haspopup="dialog" aria-keyshortcuts="Control+K Meta+K" onClick={open} data-testid="search">
        <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden fill="none" stroke="currentColor" strokeWidth="1.8" strokeLinecap="round">
          <circle cx="9" cy="9" r="5.6" />
          <path d="M13.2 13.2 17 17" />
        </svg>
        <span className={classes.words}>Find a page or an id</span>
        <kbd aria-hidden>{isMac ? "⌘ K" : "Ctrl K"}</kbd>
      </button>
      {SearchDialog && <Suspense><SearchDialog onClose={close} /></Suspense>}
    </>
  );
}
