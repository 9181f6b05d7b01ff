import type { Place } from "../api/types";

/**
 * Enter takes the first place that is found for the text, also where it is pressed before
 * the answer is there. What was answered is known from that moment on, and not only when
 * it has been drawn: on a busy page that is much later.
 */
export class FirstFound {
  private wanted: string | undefined;
  private answer: { text: string; places: Place[] } | undefined;

  /** Other text was typed: an Enter of before was not meant for it. */
  typed(): void {
    this.wanted = undefined;
  }

  /** Enter was pressed. Returns the place, or undefined where there is none, yet or at all. */
  enter(text: string): Place | undefined {
    if (this.answer?.text === text) return this.answer.places[0];
    this.wanted = text;
    return undefined;
  }

  /** Places were found for text. Returns the one that an Enter of before waits for. */
  answered(text: string, places: Place[]): Place | undefined {
    this.answer = { text, places };
    if (this.wanted !== text) return undefined;
    this.wanted = undefined;
    return places[0];
  }
}
