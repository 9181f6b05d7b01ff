import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useRef } from "react";
import "./language"; // before uPlot
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { page, type Hue } from "../tokens";
import type { Series } from "./use-series";

const size = { width: 120, height: 28 };

/** A small plot of one number over the last minutes. */
export function Sparkline({ label, of, series }: { label: string; of: Hue; series: Series | undefined }) {
  const el = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const stroke = page[useComputedColorScheme("light")][of];

  useEffect(() => {
    if (!el.current) return;

    const options: uPlot.Options = {
      ...size,
      padding: [2, 2, 2, 2],
      legend: { show: false },
      cursor: { show: false },
      axes: [{ show: false }, { show: false }],
      // From zero, so that a small change does not look like a large one.
      scales: { y: { range: (_, __, max) => [0, Math.max(max, 1) * 1.1] } },
      series: [{}, { stroke, width: 1.5, fill: `${stroke}22`, points: { show: false } }],
    };
    const drawn = new uPlot(options, [[], []], el.current);
    plot.current = drawn;

    return () => drawn.destroy();
  }, [stroke]);

  // Also after a change of colours, as the new plot above is still empty.
  useEffect(() => {
    if (series) plot.current?.setData([series.at, series.value]);
  }, [series, stroke]);

  return <div ref={el} role="img" aria-label={label} style={size} />;
}
