import { Group, SimpleGrid, Text } from "@mantine/core";
import { Since, Stale } from "../ui/stale";
import type { Heard } from "./heard";
import { partId } from "./part-id";

export function Services({ heard }: { heard: Heard }) {
  return (
    <SimpleGrid component="ul" cols={{ base: 1, xs: 2, md: 4 }} spacing="lg" verticalSpacing="xs" m={0} p={0} style={{ listStyle: "none" }}>
      {heard.overview.services.map((s) => {
        const at = heard.at(s.heard_at);

        return (
          <Group component="li" key={s.name} id={partId("service", s.name)} justify="space-between" wrap="nowrap" gap="xs">
            <Text size="sm" fw={500}>
              <Text span inherit c={s.ok ? undefined : "fault"} aria-hidden>{s.ok ? "✓" : "✕"}</Text> {s.name}
              {!s.ok && <Text span inherit c="fault">{s.heard_at === null ? " not heard yet" : " down"}</Text>}
              {s.ok && s.not_ready && <Text span inherit c="fault" title={Object.values(s.not_ready).join("; ")}> ✕ not ready</Text>}{" "}
              <Since at={at} />
            </Text>
            <Text size="xs" c="dimmed">
              pid <span data-testid={`service-${s.name}-pid`}><Stale at={at} of={s.pid || undefined}>{String}</Stale></span> ·{" "}
              <Stale at={at} of={s.pid ? s.rss_mb : undefined}>{(mb) => `${Math.round(mb)} MB`}</Stale>
            </Text>
          </Group>
        );
      })}
    </SimpleGrid>
  );
}
