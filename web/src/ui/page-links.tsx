import { ActionIcon } from "@mantine/core";
import { useId } from "react";
import classes from "./header.module.css";

/** The app's pages, for the links that each of them has to the others. */
export const links = [
  { href: "/", name: "Map", about: "every car, live" },
  { href: "/rider", name: "Ride", about: "be driven across Montevideo" },
  { href: "/driver", name: "Drive", about: "take the rides that are offered to you" },
  { href: "/compare", name: "Compare", about: "six maps: the same points on a queue and on a stream" },
  { href: "/learn", name: "Learn", about: "the tutorial: nine questions, each answered on your own machine" },
  { href: "/admin", name: "Console", about: "what queue and stream do now" },
];

/** Those that another page leads to. The search finds them as well. */
export const beneath = [{ href: "/admin/playback", name: "Playback", about: "what all drivers did in the last hour" }];

const here = (href: string) => (location.pathname === href ? "page" : undefined);

/** The links to the pages beside each other, where there is room for them. */
export function PageLinks() {
  return (
    <nav aria-label="Pages" className={classes.links}>
      {links.map(({ href, name }) => <a key={href} href={href} aria-current={here(href)}>{name}</a>)}
    </nav>
  );
}

interface Props {
  onSignOut?: (() => void) | undefined; // absent: nobody has signed in
}

/** The same links and the way out behind a button, on a phone. */
export function PageMenu({ onSignOut }: Props) {
  const id = useId();

  // A native popover closes on Escape and on a press elsewhere, and says whether it is open.
  return (
    <>
      <ActionIcon variant="subtle" hiddenFrom="md" aria-label="Menu" popoverTarget={id} data-testid="menu">
        <svg width="22" height="22" viewBox="0 0 22 22" aria-hidden stroke="currentColor" strokeWidth="2" strokeLinecap="round"><path d="M3 7h16M3 15h16" /></svg>
      </ActionIcon>
      <nav id={id} popover="auto" aria-label="Menu" className={classes.menu}>
        {links.map(({ href, name }) => <a key={href} href={href} aria-current={here(href)}>{name}</a>)}
        {onSignOut && <button type="button" onClick={onSignOut} data-testid="sign-out-menu">Sign out</button>}
      </nav>
    </>
  );
}
