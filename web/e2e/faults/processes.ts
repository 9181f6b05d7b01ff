import { readFileSync } from "node:fs";
import { runFile } from "../world";

/** The process id of one of the demo's services, as it is now. */
export const pid = (name: string): number => runFile().processes.find((p) => p.name === name)!.pid;

// The process ids of a demo in containers would be those of others here.
function signal(id: number, name: "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
  if (!readFileSync(`/proc/${id}/cmdline`, "utf8").includes("tandem")) throw new Error(`process ${id} is none of a demo's on this machine`);
  process.kill(id, name);
}

export const kill = (id: number): void => signal(id, "SIGKILL");

/** Stops a service's process while `look` runs. */
export async function frozen(name: string, look: (since: number) => Promise<void>): Promise<void> {
  const id = pid(name);
  signal(id, "SIGSTOP");
  try {
    await look(Date.now());
  } finally {
    signal(id, "SIGCONT");
  }
}
