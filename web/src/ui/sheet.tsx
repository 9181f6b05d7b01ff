import { Button } from "@mantine/core";
import { useId, useState, type ReactNode } from "react";
import classes from "./sheet.module.css";

interface Props {
  name: "As a list" | "Same in AWS CLI";
  of: string; // the picture that it belongs to
  children: ReactNode;
}

/** A button, and what it opens over the page. A press elsewhere or Escape closes it. */
export function Sheet({ name, of, children }: Props) {
  const id = useId();
  const [open, setOpen] = useState(false);

  return (
    <>
      <Button size="xs" variant="subtle" px="xs" popoverTarget={id} aria-label={`${name}: ${of}`} data-testid={`${of.toLowerCase()}-${name === "As a list" ? "list" : "cli"}`}>{name}</Button>
      <div id={id} popover="auto" role="dialog" aria-label={`${name}: ${of}`} className={classes.sheet} onToggle={(e) => setOpen(e.newState === "open")}>
        <div className={classes.head}><b>{of}: {name.toLowerCase().replace("aws cli", "AWS CLI")}</b> <Button size="xs" variant="default" popoverTarget={id} popoverTargetAction="hide">Close</Button></div>
        {open && children}
      </div>
    </>
  );
}
