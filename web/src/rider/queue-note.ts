import { milliseconds } from "../api/format";
import type { QueueMessage } from "./queue-steps";

/** What a message's tries teach, in one or two sentences. */
export function queueNote({ tries, deleted, hiddenFor }: QueueMessage): string {
  const last = tries.at(-1);
  if (!last) return "One worker will receive the message, and keep it hidden from the others while it works.";

  if (last.fate === "killed" && !deleted) {
    return `Pid ${last.pid} was killed, so nobody keeps the message hidden any more. SQS knows nothing of that: it shows the message again ` +
      "when its time is over, and another worker receives it. Nothing is lost.";
  }

  const died = tries.findLast((t) => t.fate === "died" || t.fate === "killed");
  const next = died && tries[tries.indexOf(died) + 1];
  if (died && next) {
    const rest = deleted ? `pid ${last.pid} did the rest and deleted it` : `pid ${last.pid} goes on where it stopped`;
    const end = died.fate === "killed" ? "was killed" : "was not heard of again: it died, or hung";
    return `Pid ${died.pid} ${end}. Nobody kept the message hidden any more, ` +
      `so SQS showed it again, ${milliseconds(next.wait ?? 0)} after that try had begun, and ${rest}.`;
  }

  if (deleted) return tries.length === 1 ? "One worker has done the work and deleted the message." : `After ${tries.length} tries the message is deleted.`;

  const held = hiddenFor ? `, for ${hiddenFor} s at a time` : "";
  return `Pid ${last.pid} keeps the message hidden from the other workers${held}. If it dies, SQS shows the message again and another worker receives it.`;
}
