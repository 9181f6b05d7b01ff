import { Paper } from "@mantine/core";
import { useRef, useState, type ReactNode } from "react";
import type { Live } from "../api/use-live";
import { MapView, type End } from "../map/map-view";
import type { Bounds, LatLon } from "../map/projection";
import type { Scene } from "../map/scene";
import { ConnectionBanner } from "./connection-banner";
import { Header, mainId } from "./header";
import classes from "./map-page.module.css";
import { ProblemNote } from "./problem-note";
import { SheetHandle, type SheetStep } from "./sheet-handle";
import type { Session } from "./sign-in";
import { useKeptFocus } from "./use-kept-focus";
import { usePadding } from "./use-padding";

interface Props {
  title: string;
  session: Session;
  onSignOut?: (() => void) | undefined; // instead of the session's own
  live: Live;
  scene: Scene;
  fit: Bounds | undefined;
  onPick?: ((place: LatLon) => void) | undefined;
  onDrag?: ((end: End, place: LatLon) => void) | undefined;
  panelLabel: string;
  children: ReactNode; // the panel beside the map, below it on a phone
  footer?: ReactNode; // what lies along the map's lower edge; null: it comes there later, and nothing else may be there
}

/** The page of a rider or a driver: the live map, and a panel to work with. */
export function MapPage({ title, session, onSignOut = session.signOut, live, scene, fit, onPick, onDrag, panelLabel, children, footer }: Props) {
  const hasFooter = Boolean(footer);
  const [step, setStep] = useState<SheetStep>(2);
  const padding = usePadding(hasFooter, step);
  const panel = useRef<HTMLDivElement>(null);
  const keepFocus = useKeptFocus(panel);

  return (
    <div className={classes.page}>
      <Header heading={title} onSignOut={onSignOut} />
      <main id={mainId} tabIndex={-1} className={classes.stage}>
        <MapView
          fleet={live.fleet} scene={scene} onView={live.setView} onPick={onPick} onDrag={onDrag}
          fit={fit} padding={padding} lowerEdgeCovered={footer !== undefined || undefined}
        />
        <ConnectionBanner live={live} />
        <div className={classes.dock} data-step={hasFooter ? step : undefined} data-steady={footer !== undefined || undefined}>
          {hasFooter && <SheetHandle step={step} onStep={setStep} />}
          <Paper ref={panel} {...keepFocus} className={classes.panel} shadow="md" p="lg" component="section" aria-label={panelLabel}>
            {children}
            {session.subject && <ProblemNote error={session.error} />}
          </Paper>
          {footer}
        </div>
      </main>
    </div>
  );
}
