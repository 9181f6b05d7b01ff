import { Anchor, Button, Group, Menu } from "@mantine/core";

/** The app's pages, for the links that each of them has to the others. */
export const links = [
  { href: "/", name: "Map", about: "every car, live" },
  { href: "/rider", name: "Book a ride", about: "be driven across Montevideo" },
  { href: "/driver", name: "Drive", about: "take the rides that are offered to you" },
  { href: "/admin", name: "Queue and stream", about: "what the machinery does now" },
];

const here = (href: string) => (location.pathname === href ? "page" : undefined);

interface Props {
  onSignOut?: (() => void) | undefined; // absent: nobody has signed in
}

/** The links to the other pages and the way out: beside each other, or in a menu on a phone. */
export function PageLinks({ onSignOut }: Props) {
  return (
    <>
      <Group component="nav" aria-label="Pages" gap="md" wrap="nowrap" visibleFrom="md">
        {links.map(({ href, name }) => (
          <Anchor key={href} href={href} aria-current={here(href)} size="sm" c={here(href) ? "dimmed" : undefined} underline="hover">{name}</Anchor>
        ))}
        {onSignOut && <Button size="xs" variant="default" onClick={onSignOut} data-testid="sign-out">Sign out</Button>}
      </Group>

      <Menu position="bottom-end" withinPortal={false} transitionProps={{ duration: 0 }}>
        <Menu.Target>
          <Button variant="default" px="sm" hiddenFrom="md" data-testid="menu">Menu</Button>
        </Menu.Target>
        <Menu.Dropdown>
          {links.map(({ href, name }) => (
            <Menu.Item key={href} component="a" href={href} aria-current={here(href)}>{name}</Menu.Item>
          ))}
          {onSignOut && <Menu.Divider />}
          {onSignOut && <Menu.Item onClick={onSignOut} data-testid="sign-out-menu">Sign out</Menu.Item>}
        </Menu.Dropdown>
      </Menu>
    </>
  );
}
