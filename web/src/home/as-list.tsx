import { Button } from "@mantine/core";
import { useId, type ReactNode } from "react";
import classes from "./deck.module.css";

interface Props {
  name: string; // of the picture
  children: ReactNode; // its rows
}

/** What a picture shows, as a table, behind a button. */
export function AsList({ name, children }: Props) {
  const id = useId();

  return (
    <>
      <Button size="xs" variant="subtle" px="xs" popoverTarget={id} className={classes.asList} aria-label={`${name} as a list`}>As a list</Button>
      <div id={id} popover="auto" className={classes.list} role="region" aria-label={`${name}, the list`}>{children}</div>
    </>
  );
}
