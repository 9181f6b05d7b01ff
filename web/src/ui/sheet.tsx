import { ActionIcon, Button } from "@mantine/core";
import { useId, useState, type ReactNode } from "react";
import classes from "./sheet.module.css";

interface Props {
  name: "As a list" | "Same in AWS CLI";
  of: string; // the picture that it belongs to
  icon?: ReactNode; // in place of the button's words
  children: ReactNode;
}

/** A button, and what it opens over the page. A press elsewhere or Escape closes it. */
export function Sheet({ name, of, icon, children }: Props) {
  const id = useId();
  const [open, setOpen] = useState(false);

  const button = { popoverTarget: id, "aria-label": `${name}: ${of}`, "data-testid": `${of.toLowerCase()}-${name === "As a list" ? "list" : "cli"}` };

  return (
    <>
      {icon ? <ActionIcon {...button} variant="subtle">{icon}</ActionIcon> : <Button {...button} size="xs" variant="subtle" px="xs">{name}</Button>}
      <div id={id} popover="auto" role="dialog" aria-label={`${name}: ${of}`} className={classes.sheet} onToggle={(e) => setOpen(e.newState === "open")}>
        <div className={classes.head}><b>{of}: {name.toLowerCase().replace("aws cli", "AWS CLI")}</b> <Button size="xs" variant="default" popoverTarget={id} popoverTargetAction="hide">Close</Button></div>
        {open && children}
      </div>
    </>
  );
}
