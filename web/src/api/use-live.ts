import { useCallback, useEffect, useRef, useState } from "react";
import { Fleet } from "../map/fleet";
import type { Bounds } from "../map/projection";
import { LiveSocket, type Link, type TextFrame } from "./socket";
import type { Role } from "./types";

export interface Live {
  fleet: Fleet;
  link: Link;
  cars: number;
  lastAt: number; // when the last frame of positions came; 0: none yet
  look: (view: Bounds) => void;
  followRide: (id: string) => void;
  followDriver: () => void;
  retryNow: () => void;
}

const countEvery = 1000;

/** The live map's data for one role; `onText` hears what is not a position. */
export function useLive(role: Role, onText?: (text: TextFrame) => void): Live {
  const [fleet] = useState(() => new Fleet());
  const [link, setLink] = useState<Link>("connecting");
  const [seen, setSeen] = useState({ cars: 0, lastAt: 0 });
  const socket = useRef<LiveSocket>(null);
  const view = useRef<Bounds>(null);
  const hear = useRef(onText);
  useEffect(() => {
    hear.current = onText;
  });

  useEffect(() => {
    let lastAt = 0;
    const live = new LiveSocket(role, {
      frame(frame) {
        lastAt = Date.now();
        fleet.apply(frame, lastAt);
      },
      text: (text) => hear.current?.(text),
      link: setLink,
    });
    socket.current = live;
    if (view.current) live.look(view.current);
    const count = setInterval(() => setSeen({ cars: fleet.size, lastAt }), countEvery);
    return () => {
      clearInterval(count);
      live.close();
      socket.current = null;
    };
  }, [role, fleet]);

  const look = useCallback((b: Bounds) => {
    view.current = b;
    socket.current?.look(b);
  }, []);
  const followRide = useCallback((id: string) => socket.current?.followRide(id), []);
  const followDriver = useCallback(() => socket.current?.followDriver(), []);
  const retryNow = useCallback(() => socket.current?.retryNow(), []);
  return { fleet, link, ...seen, look, followRide, followDriver, retryNow };
}
