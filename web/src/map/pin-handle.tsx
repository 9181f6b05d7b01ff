import { useEffect, useRef, type KeyboardEvent, type PointerEvent } from "react";
import { screenX, screenY, unproject, type LatLon, type Projection } from "./projection";
import classes from "./map-view.module.css";

interface Props {
  name: string;
  at: LatLon;
  projection: () => Projection | undefined;
  eachFrame: Set<() => void>; // what is called when the map is drawn
  onHold: (place: LatLon) => void; // where it is while it is dragged
  onDrop: (place: LatLon) => void;
}

const step = 10; // pixels that an arrow key moves a pin
const arrows: Record<string, [number, number]> = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };

/** What a finger, a pointer or the arrow keys move a pin by. It lies over the pin and cannot be seen. */
export function PinHandle({ name, at, projection, eachFrame, onHold, onDrop }: Props) {
  const el = useRef<HTMLButtonElement>(null);
  const held = useRef<LatLon>(undefined);

  useEffect(() => {
    held.current = undefined;
    const follow = () => {
      const p = projection();
      const place = held.current ?? at;
      if (p && el.current) el.current.style.transform = `translate(${screenX(p, place.lon)}px, ${screenY(p, place.lat)}px) translate(-50%, -50%)`;
    };
    follow();
    eachFrame.add(follow);

    return () => void eachFrame.delete(follow);
  }, [at.lat, at.lon, projection, eachFrame]);

  const hold = (place: LatLon) => {
    held.current = place;
    onHold(place);
  };
  const drop = () => {
    if (held.current) onDrop(held.current);
  };

  const dragged = (e: PointerEvent<HTMLButtonElement>) => {
    const [p, box] = [projection(), el.current?.offsetParent?.getBoundingClientRect()];
    if (p && box && e.currentTarget.hasPointerCapture(e.pointerId)) hold(unproject(p, e.clientX - box.left, e.clientY - box.top));
  };
  const pressed = (e: KeyboardEvent) => {
    const [by, p] = [arrows[e.key], projection()];
    if (!by || !p) return;

    e.preventDefault(); // the page does not scroll
    const from = held.current ?? at;
    hold(unproject(p, screenX(p, from.lon) + by[0], screenY(p, from.lat) + by[1]));
  };

  return (
    <button
      ref={el} type="button" className={classes.pin} aria-label={name}
      onPointerDown={(e) => e.currentTarget.setPointerCapture(e.pointerId)} // the drag goes on outside the handle
      onPointerMove={dragged} onPointerUp={drop} onKeyDown={pressed} onKeyUp={(e) => arrows[e.key] && drop()}
    />
  );
}
