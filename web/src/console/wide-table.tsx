import { Table } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./wide-table.module.css";

interface Props {
  label: string;
  minWidth: number;
  columns: Record<string, "left" | "right">; // titles, from left to right; numbers stand on the right
  children: ReactNode; // the rows
}

/** A table that scrolls sideways where it does not fit, also by keyboard. What a row is about stays in sight. */
export function WideTable({ label, minWidth, columns, children }: Props) {
  // A part of the page that scrolls must take the focus, or no key can scroll it.
  const viewportProps = { tabIndex: 0, role: "region", "aria-label": label };

  return (
    <Table.ScrollContainer minWidth={minWidth} scrollAreaProps={{ viewportProps }}>
      <Table verticalSpacing={6} horizontalSpacing="xs" className={classes.table}>
        <Table.Thead>
          <Table.Tr>
            {Object.entries(columns).map(([title, side]) => <Table.Th key={title} ta={side}>{title}</Table.Th>)}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>{children}</Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
