import { Group, SimpleGrid, Text } from "@mantine/core";
import type { Overview } from "../api/types";

export function Services({ services }: { services: Overview["services"] }) {
  return (
    <SimpleGrid component="ul" cols={{ base: 1, xs: 2, md: 4 }} spacing="lg" verticalSpacing="xs" m={0} p={0} style={{ listStyle: "none" }}>
      {services.map((s) => (
        <Group component="li" key={s.name} justify="space-between" wrap="nowrap" gap="xs">
          <Text size="sm" fw={500}>
            <Text span inherit c={s.ok ? "harbour" : "red"} aria-hidden>{s.ok ? "●" : "○"}</Text> {s.name}
            {!s.ok && <Text span inherit c="red"> down</Text>}
            {s.not_ready && <Text span inherit c="red" title={Object.values(s.not_ready).join("; ")}> not ready</Text>}
          </Text>
          <Text size="xs" c="dimmed">
            pid <span data-testid={`service-${s.name}-pid`}>{s.pid}</span> · {Math.round(s.rss_mb)} MB
          </Text>
        </Group>
      ))}
    </SimpleGrid>
  );
}
