import { Button } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useEffect, useId, useRef, useState, type KeyboardEvent } from "react";
import { find, longest, pagesLike, sources, type Answer, type Hit } from "./find";
import classes from "./search.module.css";

const searchDelay = 200; // ms without a key pressed, so that not each letter is a request

/** A dialog to go to a page, or to whatever has an id. It is used with the keyboard alone. */
export default function SearchDialog({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);
  const { hits, note } = useAnswer(text);

  // A native dialog keeps the focus inside, closes on Escape, and returns the focus.
  useEffect(() => {
    const el = dialog.current;
    if (el && !el.open) el.showModal();
  }, []);

  const active = hits[Math.min(chosen, hits.length - 1)];
  const go = (hit: Hit | undefined) => {
    if (!hit) return;

    dialog.current?.close(); // a link to a part of this very page loads nothing
    location.assign(hit.href);
  };
  const onKeyDown = (e: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (step && hits.length > 0) setChosen((Math.min(chosen, hits.length - 1) + step + hits.length) % hits.length);
    else if (e.key === "Enter") go(active);
    else return;

    e.preventDefault();
  };
  const optionId = (hit: Hit) => `${id}-${hits.indexOf(hit)}`;

  return (
    <dialog ref={dialog} className={classes.dialog} aria-label="Find" onClose={onClose} onClick={(e) => e.target === dialog.current && dialog.current?.close()}>
      <div className={classes.field}>
        <input
          role="combobox" aria-label="Find a page or an id" aria-autocomplete="list" aria-expanded={hits.length > 0}
          {...(active && { "aria-controls": `${id}-list`, "aria-activedescendant": optionId(active) })}
          placeholder="A page, or any id" maxLength={longest} value={text} autoComplete="off" spellCheck={false}
          onChange={(e) => [setText(e.target.value), setChosen(0)]} onKeyDown={onKeyDown} data-testid="search-text"
        />
        <Button variant="subtle" px="sm" onClick={() => dialog.current?.close()}>Close</Button>
      </div>

      {hits.length > 0 && (
        <ul role="listbox" id={`${id}-list`} aria-label="Found" className={classes.found}>
          {hits.map((hit, i) => (
            <li key={hit.href + hit.name} role="option" id={optionId(hit)} aria-selected={hit === active} onPointerMove={() => setChosen(i)} onClick={() => go(hit)}>
              <b>{hit.name}</b> <span>{hit.about}</span>
            </li>
          ))}
        </ul>
      )}
      <p role="status" className={classes.note} data-testid="search-note">{note}</p>
    </dialog>
  );
}

const hint = "Type the name of a page, or the id of a ride, a driver, a rider, a message, a shard or a process.";

/** What is found for a text. Pages are found at once, ids when their owners have answered. */
function useAnswer(text: string): Answer {
  const [asked] = useDebouncedValue(text, searchDelay);
  const [answer, setAnswer] = useState<Answer & { of: string }>();

  useEffect(() => {
    if (!asked.trim()) return;

    // An answer that comes after another text was typed is of no use.
    let outdated = false;
    void find(asked, sources).then((a) => !outdated && setAnswer({ ...a, of: asked }));

    return () => {
      outdated = true;
    };
  }, [asked]);

  const pages = pagesLike(text);
  if (!text.trim()) return { hits: pages, note: hint };
  if (answer?.of !== text) return { hits: pages, note: "Looking…" };
  return { hits: [...pages, ...answer.hits], note: answer.note };
}
