import { Text } from "@mantine/core";
import { driver } from "../api/client";
import { usePoll } from "../api/use-poll";
import { ProblemNote } from "../ui/problem-note";
import { Stale } from "../ui/stale";
import { BigMoney } from "./big-money";

const interval = 2000; // ms

/** What the driver has earned today, by the server's sum of its completed rides. */
export function EarningsToday() {
  const { data, error, askedAt } = usePoll(driver.earnings, interval);

  return (
    <div data-testid="earnings" data-value={data?.total.amount_minor} data-rides={data?.rides}>
      <Text fz="xl" fw={640} lh="xl" lts="-0.024em"><Stale at={askedAt} of={data?.total}>{(m) => <BigMoney of={m} />}</Stale></Text>
      <Text size="sm" c="dimmed">
        earned today, by <Stale at={askedAt} of={data?.rides} since>{(n) => (n === 1 ? "1 ride" : `${n} rides`)}</Stale>
      </Text>
      {!data && <ProblemNote error={error} retried />}
    </div>
  );
}
