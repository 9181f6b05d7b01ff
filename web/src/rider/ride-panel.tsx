import { Button, Text, Title } from "@mantine/core";
import { useState } from "react";
import { rider } from "../api/client";
import { placeName, short } from "../api/format";
import type { Ride, RidePoint, RideState } from "../api/types";
import { ProblemNote } from "../ui/problem-note";
import { Stale } from "../ui/stale";
import { CarLine, NoCarYet } from "./car-line";
import { etaOf, partDriven } from "./eta";
import { Inbox, useInbox } from "./inbox";
import { Progress } from "./progress";
import { Receipt, Times } from "./receipt";
import classes from "./ride-panel.module.css";
import { TripEnds } from "./trip-ends";
import { useFound } from "./use-found";
import type { Remaining } from "./use-remaining";
import { hasEnded } from "./use-ride";
import { soFar, waitingWords, type Waiting } from "./waiting";
import type { QueueLook } from "./use-queue-look";

const titles: Record<RideState, string> = {
  requested: "Looking for a driver",
  offered: "Asking a driver nearby",
  assigned: "Your driver is coming",
  arrived: "Your driver is here",
  picked_up: "On the way",
  completed: "You have arrived",
  cancelled: "Cancelled",
  unfulfilled: "No driver was found",
};

interface Props {
  ride: Ride;
  at: number | undefined; // when the ride was as it is here
  remaining: Remaining | undefined;
  points: RidePoint[] | undefined; // that the driver has sent since the accept
  waiting: Waiting;
  look: QueueLook;
  onChanged: (ride: Ride) => void;
  onAnother: () => void;
  onAgain: () => void; // the same trip
  onMove: () => void; // the same trip, from elsewhere
}

export default function RidePanel({ ride, at, remaining, points, waiting, look, onChanged, onAnother, onAgain, onMove }: Props) {
  const found = useFound(ride);
  const inbox = useInbox();
  const ended = hasEnded(ride.state);
  const title = found ? "A driver was found" : titles[ride.state];
  const drives = ride.state === "assigned" || ride.state === "picked_up";

  return (
    <div className={classes.panel}>
      {/* What changes here by itself has its place beforehand: nothing beneath it moves. */}
      <div className={classes.head} data-large={(drives && remaining) || ride.state === "completed" || undefined}>
        <div role="status">
          <Title order={2} data-testid="ride-state" data-value={ride.state}>
            {ended ? title : <Stale at={at} of={title} since>{String}</Stale>}
          </Title>
        </div>
        {drives && remaining && <Arrival remaining={remaining} />}
        {drives && !remaining && <Text c="dimmed">How far it is, is known when the car is heard from.</Text>}
        {ride.state === "arrived" && <Text c="dimmed">It waits at {placeName(ride.pickup)}.</Text>}
        {(ride.state === "requested" || ride.state === "offered") && <Patience state={ride.state} waiting={waiting} look={look} at={at} />}
        {ride.state === "completed" && <Receipt ride={ride} />}
        {ride.state === "unfulfilled" && <Nobody waiting={waiting} />}
        {ride.state === "cancelled" && ride.end_reason && <Text>Reason: {ride.end_reason}</Text>}
      </div>

      {/* What stays of a ride comes in place of what it had: it does not push that away. */}
      <div key={String(ended)} className={classes.panel}>
        {!ended && <Progress state={ride.state} part={remaining && points && partOf(ride, points, remaining)} />}
        {!ended && (ride.vehicle ? <CarLine vehicle={ride.vehicle} /> : <NoCarYet />)}
        <TripEnds ride={ride} />
        {ended && <Times ride={ride} />}
        <Ways ride={ride} onChanged={onChanged} onAnother={onAnother} onAgain={onAgain} onMove={onMove} />
        <Text size="xs" c="dimmed">Ride <span data-testid="ride-id" data-value={ride.id} title={ride.id}>{short(ride.id)}</span></Text>
        <Inbox inbox={inbox} rideId={ride.id} />
      </div>
    </div>
  );
}

/** How much of the way to the pick-up, or of the trip, is driven. */
function partOf(ride: Ride, points: RidePoint[], remaining: Remaining): number {
  const since = Date.parse(ride.picked_up_at ?? ride.assigned_at ?? "");
  return partDriven(points.filter((p) => p.seq >= since), remaining.metres);
}

function Arrival({ remaining }: { remaining: Remaining }) {
  const { at } = remaining;

  return (
    <div data-testid="remaining" data-value={Math.round(remaining.metres)}>
      <div className={classes.large} data-testid="eta"><Stale at={at} of={remaining}>{(r, stale) => etaOf(r, Date.now(), stale).large}</Stale></div>
      <Text c="dimmed"><Stale at={at} of={remaining} since>{(r, stale) => etaOf(r, Date.now(), stale).small}</Stale></Text>
    </div>
  );
}

/** Where the request is, for who waits. */
function Patience({ state, waiting, look, at }: { state: RideState; waiting: Waiting; look: QueueLook; at: number | undefined }) {
  const story = soFar(waiting);

  return (
    <div data-testid="waiting" data-value={waiting.saidNo}>
      <Text><Stale at={at} of={waitingWords(state, waiting, look)}>{String}</Stale></Text>
      {story && <Text c="dimmed">{story}</Text>}
    </div>
  );
}

function Nobody({ waiting }: { waiting: Waiting }) {
  return (
    <Text data-testid="nobody">
      {soFar(waiting) || "No driver was near."} The time for the search is over. Nothing was charged.
    </Text>
  );
}

type WaysProps = Pick<Props, "ride" | "onChanged" | "onAnother" | "onAgain" | "onMove">;

/** What the rider can do now. */
function Ways({ ride, onChanged, onAnother, onAgain, onMove }: WaysProps) {
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);

  const cancel = () => {
    setBusy(true);
    setError(undefined);

    // The server decides: a rider who was picked up meanwhile reads why it refuses.
    rider.cancel(ride.id).then(onChanged).catch(setError).finally(() => setBusy(false));
  };

  return (
    <>
      <ProblemNote error={error} />
      {!hasEnded(ride.state) && ride.state !== "picked_up" && <Button key="cancel" variant="default" loading={busy} onClick={cancel} data-testid="cancel">Cancel the ride</Button>}
      {ride.state === "picked_up" && <Text c="dimmed" className={classes.noWay}>With you in the car it can no longer be cancelled.</Text>}
      {(ride.state === "unfulfilled" || ride.state === "cancelled") && <Button key="again" size="md" onClick={onAgain} data-testid="again">Ask again</Button>}
      {ride.state === "unfulfilled" && <Button key="move" variant="default" onClick={onMove} data-testid="move">Move the pick-up</Button>}
      {hasEnded(ride.state) && <Button key="another" size={ride.state === "completed" ? "md" : "sm"} variant={ride.state === "completed" ? "filled" : "default"} onClick={onAnother} data-testid="another">Book another ride</Button>}
    </>
  );
}
