import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { presence } from "./presence";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const moved = (page: EventTarget) => page.dispatchEvent(new Event("pointermove"));

test("what waits for somebody comes with the first move, once", () => {
  const [page, come] = [new EventTarget(), vi.fn()];
  presence(page).wait(8000, come);
  vi.advanceTimersByTime(7999);
  expect(come).not.toHaveBeenCalled();

  moved(page);
  moved(page);
  vi.advanceTimersByTime(60_000);
  expect(come).toHaveBeenCalledOnce();
});

test("who moved before is there already", () => {
  const [page, come] = [new EventTarget(), vi.fn()];
  const here = presence(page);
  moved(page);
  expect(come).not.toHaveBeenCalled();
  here.wait(8000, come);
  expect(come).toHaveBeenCalledOnce();
});

test("without anybody it comes late, and never once it is stopped", () => {
  const [page, come] = [new EventTarget(), vi.fn()];
  presence(page).wait(8000, come);
  vi.advanceTimersByTime(8000);
  expect(come).toHaveBeenCalledOnce();

  const stopped = presence(page);
  stopped.wait(8000, come);
  stopped.stop();
  moved(page);
  vi.advanceTimersByTime(60_000);
  expect(come).toHaveBeenCalledOnce();
});
