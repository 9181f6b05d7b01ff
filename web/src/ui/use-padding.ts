import { useMediaQuery } from "@mantine/hooks";
import { useMemo } from "react";
import type { Padding } from "../map/base";

/** How much of the map's edges is covered, so that a trip is shown in the part that is free. */
export function usePadding(hasFooter: boolean): Padding {
  const phone = useMediaQuery("(max-width: 48em)");

  // map-page.module.css and trace.module.css have the sizes that are covered here.
  return useMemo(
    () =>
      phone
        ? { top: 70, bottom: Math.round(innerHeight * 0.46) + 30, left: 40, right: 40 }
        : { top: 90, bottom: hasFooter ? 290 : 60, left: 440, right: 80 },
    [phone, hasFooter],
  );
}
