import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Problem } from "./client";
import { persist } from "./persist";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const away = new Problem(503, "restarting");

function options() {
  const controller = new AbortController();
  const failures: unknown[] = [];
  return { controller, failures, signal: controller.signal, within: 60_000, onFailure: (e: unknown) => failures.push(e) };
}

test("what may pass is tried again, and each failure is told", async () => {
  const o = options();
  const ask = vi.fn().mockRejectedValueOnce(away).mockRejectedValueOnce(new Problem(0, "unreachable")).mockResolvedValue("booked");

  const answer = persist(ask, o);
  await vi.runAllTimersAsync();

  expect(await answer).toBe("booked");
  expect(ask).toHaveBeenCalledTimes(3);
  expect(o.failures).toHaveLength(2);
});

test.each([400, 401, 409, 500])("a %d is final", async (status) => {
  const refusal = new Problem(status, "no");
  const ask = vi.fn().mockRejectedValue(refusal);

  await expect(persist(ask, options())).rejects.toBe(refusal);
  expect(ask).toHaveBeenCalledTimes(1);
});

test("it ends at its time, and when it is told to", async () => {
  const ask = vi.fn().mockRejectedValue(away);
  const ended = expect(persist(ask, options())).rejects.toBe(away);
  await vi.runAllTimersAsync();
  await ended;
  expect(ask.mock.calls.length).toBeGreaterThan(8);

  const o = options();
  const stopped = expect(persist(ask, o)).rejects.toThrow("ended");
  await vi.advanceTimersByTimeAsync(0);
  ask.mockClear();
  o.controller.abort();
  await vi.runAllTimersAsync();
  await stopped;
  expect(ask).not.toHaveBeenCalled();
});
