import { Button, Text, Title, VisuallyHidden } from "@mantine/core";
import type { CSSProperties } from "react";
import { time, whole } from "../api/format";
import { Stale } from "../ui/stale";
import classes from "./playback-page.module.css";
import { speeds, type Player } from "./player";
import type { Playing } from "./use-player";

const spans = [5, 10, 30, 60] as const; // minutes
const stops = 300; // of the slider: an arrow key moves it by one of so many

interface Props {
  player: Player;
  playing: Playing;
  onDone: () => void; // something was done to the player
  minutes: number;
  onMinutes: (minutes: number) => void;
}

/** What one plays with: below the map. */
export function Bar({ player, playing, onDone, minutes, onMinutes }: Props) {
  const { at, span, speed, cars } = playing;
  const act = (done: () => void) => {
    done();
    onDone(); // now, or the slider would jump back for a moment
  };

  return (
    <section className={classes.bar} aria-label="Player">
      <VisuallyHidden><Title order={2}>What all drivers did</Title></VisuallyHidden>
      <Button size="md" px={0} className={classes.play} aria-label={playing.playing ? "Pause" : "Play"} disabled={!span} onClick={() => act(() => (playing.playing ? player.pause() : player.play()))} data-testid="play">
        <PlayMark pauses={playing.playing} /><span className={classes.word}>{playing.playing ? "Pause" : "Play"}</span>
      </Button>
      <span className={classes.clock} data-testid="clock" data-value={Math.round(at)}>{span ? time(at) : "--:--:--"}</span>
      <Slider playing={playing} onSeek={(to) => act(() => player.seek(to))} />
      <div className={classes.said}>
        <Text><span data-testid="cars" data-value={cars}><Stale at={Date.now} of={cars}>{whole}</Stale></span> {cars === 1 ? "car" : "cars"}<span className={classes.wide}> in view</span></Text>
        <Text size="xs" c="dimmed" role="status" data-testid="said">{saidOf(playing)}</Text>
      </div>

      <Choice label="Last" of={spans} chosen={minutes} name={(m) => `${m} min`} onChoose={onMinutes} />
      <Choice label="Speed" of={speeds} chosen={speed} name={(s) => `${s}×`} onChoose={(s) => act(() => player.setSpeed(s))} />
      <Text size="xs" c="dimmed" className={classes.rule}>Playback on the map reads history; rebuilding reads the stream.</Text>
    </section>
  );
}

/** What stands in the way of playing, in a few words. */
function saidOf({ waiting, error, ended, cars }: Playing): string {
  if (error) return "Not playing";
  if (waiting) return "Waiting for history";
  if (ended) return "The end of the span";
  return cars === 0 ? "No points for 30 s" : "";
}

function Slider({ playing: { at, span }, onSeek }: { playing: Playing; onSeek: (to: number) => void }) {
  const length = span ? (span.to - span.from) / 1000 : stops; // seconds
  const step = length / stops;
  const value = span ? Math.floor((at - span.from) / 1000 / step) * step : 0;

  return (
    <input
      type="range" className={classes.slider} aria-label="Time" aria-valuetext={span && time(at)} disabled={!span} data-testid="slider"
      min={0} max={length} step={step} value={value} style={{ "--played": value / length } as CSSProperties}
      onChange={(e) => span && onSeek(span.from + e.currentTarget.valueAsNumber * 1000)}
    />
  );
}

interface ChoiceProps<T> {
  label: string;
  of: readonly T[];
  chosen: T;
  name: (value: T) => string;
  onChoose: (value: T) => void;
}

function Choice<T extends number>({ label, of, chosen, name, onChoose }: ChoiceProps<T>) {
  return (
    <div className={classes.choice} role="group" aria-label={label}>
      <Text size="xs" c="dimmed" aria-hidden>{label}</Text>
      {of.map((value) => (
        <Button key={value} size="xs" px={0} variant="subtle" className={classes.option} aria-pressed={value === chosen} onClick={() => onChoose(value)}>{name(value)}</Button>
      ))}
    </div>
  );
}

const PlayMark = ({ pauses }: { pauses: boolean }) => (
  <svg width="18" height="18" viewBox="0 0 18 18" aria-hidden fill="currentColor">
    <path d={pauses ? "M4 3h3.5v12H4zM10.5 3H14v12h-3.5z" : "M4.5 2.5v13l11-6.5z"} />
  </svg>
);
