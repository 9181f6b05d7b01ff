import { useComputedColorScheme, useMantineTheme } from "@mantine/core";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

const size = { width: 120, height: 28 };

/** A small line of one number over the last minutes. */
export function Sparkline({ label, line }: { label: string; line: { at: number[]; value: number[] } | undefined }) {
  const el = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const { colors } = useMantineTheme();
  const isDark = useComputedColorScheme("light") === "dark";
  const stroke = colors.harbour?.[isDark ? 4 : 7] ?? "teal";
  useEffect(() => {
    if (!el.current) return;
    const options: uPlot.Options = {
      ...size,
      padding: [2, 2, 2, 2],
      legend: { show: false },
      cursor: { show: false },
      axes: [{ show: false }, { show: false }],
      scales: { y: { range: (_, __, max) => [0, Math.max(max, 1) * 1.1] } },
      series: [{}, { stroke, width: 1.5, fill: `${stroke}22`, points: { show: false } }],
    };
    const made = new uPlot(options, [[], []], el.current);
    plot.current = made;
    return () => made.destroy();
  }, [stroke]);
  useEffect(() => {
    if (line) plot.current?.setData([line.at, line.value]);
  }, [line, stroke]);
  return <div ref={el} role="img" aria-label={label} style={size} />;
}
