import { useRef, type KeyboardEvent, type PointerEvent } from "react";
import classes from "./sheet-handle.module.css";

/** How far a sheet is pulled up: its first lines, the half, or all. */
export type SheetStep = 1 | 2 | 3;

const names: Record<SheetStep, string> = { 1: "a few lines", 2: "half", 3: "everything" };
const pulled = 24; // pixels after which a finger has pulled, and not pressed

const next = (step: SheetStep, by: number) => Math.min(3, Math.max(1, step + by)) as SheetStep;

interface Props {
  step: SheetStep;
  onStep: (step: SheetStep) => void;
}

/** What a phone's sheet is pulled by: with a finger, by pressing it again and again, or with the arrow keys. */
export function SheetHandle({ step, onStep }: Props) {
  const from = useRef<number>(undefined);

  const onPointerUp = (e: PointerEvent) => {
    const by = (from.current ?? e.clientY) - e.clientY;
    if (Math.abs(by) > pulled) onStep(next(step, Math.sign(by)));
  };
  const onClick = (e: { clientY: number; detail: number }) => {
    // A press of the keyboard has no place, and a pull has moved it already.
    if (e.detail > 0 && from.current !== undefined && Math.abs(from.current - e.clientY) > pulled) return;
    onStep(step === 3 ? 1 : next(step, 1));
  };
  const onKeyDown = (e: KeyboardEvent) => {
    const by = e.key === "ArrowUp" ? 1 : e.key === "ArrowDown" ? -1 : 0;
    if (by === 0) return;
    e.preventDefault(); // the page does not scroll
    onStep(next(step, by));
  };

  return (
    <button
      type="button" className={classes.handle} data-testid="sheet" data-value={step}
      aria-label={`The sheet shows ${names[step]}: show ${names[step === 3 ? 1 : next(step, 1)]}`}
      onPointerDown={(e) => {
        from.current = e.clientY;
        e.currentTarget.setPointerCapture(e.pointerId);
      }}
      onPointerUp={onPointerUp} onClick={onClick} onKeyDown={onKeyDown}
    />
  );
}
