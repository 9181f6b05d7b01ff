import { ActionIcon, Button, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import type { MouseEvent } from "react";
import classes from "./header.module.css";
import { Mark } from "./mark";
import { PageLinks, PageMenu } from "./page-links";
import { Search } from "./search/search";

interface Props {
  heading?: string; // the page's first heading, for who hears it; absent: the page shows its own
  onSignOut?: (() => void) | undefined; // absent: nobody has signed in
}

/** The bar on top of every page: the name, the links, the search, and a switch between light and dark. */
export function Header({ heading, onSignOut }: Props) {
  return (
    <header className={classes.bar}>
      <a href={`#${mainId}`} className={classes.skip} onClick={skip}>Skip to the content</a>
      <a href="/" className={classes.brand} aria-label="Tandem: go to the map"><Mark />Tandem</a>
      {heading && <h1 className={classes.heard}>{heading}</h1>}
      <PageLinks />

      <div className={classes.tools}>
        <Search />
        {onSignOut && <Button size="xs" variant="subtle" px="sm" visibleFrom="md" onClick={onSignOut} data-testid="sign-out">Sign out</Button>}
        <SchemeSwitch />
        <PageMenu onSignOut={onSignOut} />
      </div>
    </header>
  );
}

/** The id of each page's main part, to which the skip link leads. */
export const mainId = "main";

// The address stays: a page keeps there what it shows.
function skip(e: MouseEvent): void {
  e.preventDefault();
  document.getElementById(mainId)?.focus();
}

function SchemeSwitch() {
  const isDark = useComputedColorScheme("light") === "dark";
  const { setColorScheme } = useMantineColorScheme();

  return (
    <ActionIcon variant="subtle" aria-label={isDark ? "Switch to light colours" : "Switch to dark colours"} onClick={() => setColorScheme(isDark ? "light" : "dark")}>
      <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden>
        <circle cx="10" cy="10" r="7.2" fill="none" stroke="currentColor" strokeWidth="1.6" />
        <path d="M10 2.8a7.2 7.2 0 0 1 0 14.4z" fill="currentColor" />
      </svg>
    </ActionIcon>
  );
}
