import { useDocumentVisibility } from "@mantine/hooks";
import { useCallback, useEffect, useRef, useState } from "react";
import { Fleet } from "../map/fleet";
import type { Bounds } from "../map/projection";
import { LiveSocket, type Connection, type TextFrame } from "./socket";
import type { Role } from "./types";

export interface Live {
  fleet: Fleet;
  connection: Connection;
  unreadable: boolean; // the server's frames cannot be decoded
  cars: number | undefined; // undefined: no frame has come yet
  lastFrameAt: () => number | undefined;
  /** Up to when the map has heard the stream: how old the cars' positions are. */
  heardAt: () => number | undefined;
  setView: (view: Bounds) => void;
  followRide: (id: string) => void;
  followDriver: () => void;
  followShown: (on: boolean) => void; // the ride that is shown to everybody
  retryNow: () => void;
}

const countInterval = 1000; // ms
const nowhere: Bounds = { west: 0, south: 0, east: 0, north: 0 }; // no car is there

/** The live map's data for one role. `onText` receives the messages that are not positions. */
export function useLive(role: Role, onText?: (text: TextFrame) => void): Live {
  const [fleet] = useState(() => new Fleet());
  const [connection, setConnection] = useState<Connection>("connecting");
  const [unreadable, setUnreadable] = useState(false);
  const [cars, setCars] = useState<number>();
  const socket = useRef<LiveSocket>(null);
  const view = useRef<Bounds>(null);
  const lastAt = useRef<number>(undefined);

  // Who looks on hears nothing in a tab that is hidden. Riders and drivers wait there for
  // their rides and offers, and need no positions.
  const hidden = useDocumentVisibility() === "hidden";
  const asleep = hidden && role === "viewer";

  // A reference, so that a new callback does not open a new socket.
  const latestOnText = useRef(onText);
  useEffect(() => {
    latestOnText.current = onText;
  });

  useEffect(() => {
    if (asleep) return;
    const live = new LiveSocket(role, {
      onFrame(frame) {
        lastAt.current = Date.now();
        fleet.apply(frame, lastAt.current);
        setUnreadable(false);
      },
      onUnreadable: () => setUnreadable(true),
      onText: (text) => latestOnText.current?.(text),
      onConnection: setConnection,
    });
    socket.current = live;

    // After a change of role the map does not move, so nothing else says where it is.
    if (view.current) live.setView(view.current);

    // Four frames come each second. React draws the page once a second only;
    // the canvas reads the fleet by itself.
    const timer = setInterval(() => setCars(lastAt.current && fleet.size), countInterval);

    return () => {
      clearInterval(timer);
      live.close();
      socket.current = null;
    };
  }, [role, fleet, asleep]);

  useEffect(() => {
    if (view.current) socket.current?.setView(hidden ? nowhere : view.current);
  }, [hidden]);

  const setView = useCallback((bounds: Bounds) => {
    view.current = bounds;
    socket.current?.setView(bounds);
  }, []);
  const followRide = useCallback((id: string) => socket.current?.followRide(id), []);
  const followDriver = useCallback(() => socket.current?.followDriver(), []);
  const followShown = useCallback((on: boolean) => socket.current?.followShown(on), []);
  const retryNow = useCallback(() => socket.current?.retryNow(), []);

  const lastFrameAt = useCallback(() => lastAt.current, []);
  const heardAt = useCallback(() => fleet.heardAt, [fleet]);

  return { fleet, connection, unreadable, cars, lastFrameAt, heardAt, setView, followRide, followDriver, followShown, retryNow };
}
