import { useId } from "react";
import type { Choice } from "./blocks";
import classes from "./learn-page.module.css";
import { Text } from "./text";

interface Props {
  choices: Choice[];
  chosen: string | undefined;
  onChoose: (letter: string) => void;
}

/** Two or three answers, of which the reader chooses one before anything runs. */
export function Choices({ choices, chosen, onChoose }: Props) {
  const name = useId();

  return (
    <fieldset className={classes.choices} aria-label="What do you think?" data-testid="choices">
      {choices.map(({ letter, text }) => (
        <label key={letter} className={classes.choice}>
          <input type="radio" name={name} value={letter} checked={chosen === letter} onChange={() => onChoose(letter)} />
          <span>({letter}) <Text inline>{text}</Text></span>
        </label>
      ))}
    </fieldset>
  );
}

/** What the reader had thought, where the text tells what is right. */
export function Chosen({ of, made }: { of: number; made: Record<number, string> }) {
  const letters = Array.from({ length: of }, (_, i) => made[i]);
  if (letters.every((l) => l === undefined)) return <p className={classes.chosen} data-testid="chosen">You have chosen nothing yet. Who has bet remembers better: scroll back to Predict.</p>;

  return <p className={classes.chosen} data-testid="chosen">You chose {letters.map((l) => (l ? `(${l})` : "nothing")).join(", then ")}.</p>;
}
