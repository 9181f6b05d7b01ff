import { ActionIcon, Anchor, Group, Text, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./header.module.css";

/** The bar on top of every page: the name, the links, and a switch between light and dark. */
export function Header({ title, children }: { title?: string; children?: ReactNode }) {
  const isDark = useComputedColorScheme("light") === "dark";
  const { setColorScheme } = useMantineColorScheme();

  return (
    <header className={classes.bar}>
      <Group gap="xs" wrap="nowrap">
        <Anchor href="/" underline="never" c="inherit" aria-label="Tandem: go to the map">
          <Group gap={8} wrap="nowrap">
            <img src="/favicon.svg" alt="" width={28} height={28} />
            <Text fw={700} fz="lg" lts="-0.02em">Tandem</Text>
          </Group>
        </Anchor>
        {title && <Text component="h1" c="dimmed" fz="md" fw={500} m={0}>{title}</Text>}
      </Group>

      <Group gap="xs" wrap="nowrap">
        {children}
        <ActionIcon
          variant="default" size="lg" aria-label={isDark ? "Switch to light colours" : "Switch to dark colours"}
          onClick={() => setColorScheme(isDark ? "light" : "dark")}
        >
          {isDark ? "☀" : "☾"}
        </ActionIcon>
      </Group>
    </header>
  );
}
