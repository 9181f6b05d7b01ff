import { useMediaQuery } from "@mantine/hooks";
import { useMemo } from "react";
import type { Padding } from "../map/base";
import type { SheetStep } from "./sheet-handle";

/** How much of the map's edges is covered, so that a trip is shown in the part that is free. */
export function usePadding(hasFooter: boolean, step: SheetStep): Padding {
  const phone = useMediaQuery("(max-width: 48em)");

  // map-page.module.css and trace.module.css have the sizes that are covered here.
  return useMemo(
    () =>
      phone
        ? { top: 70, bottom: (hasFooter && step === 1 ? 216 : Math.round(innerHeight * 0.46)) + 30, left: 40, right: 40 } // pulled up whole, the sheet leaves no map to look at
        : { top: 90, bottom: hasFooter ? 340 : 60, left: 440, right: 80 },
    [phone, hasFooter, step],
  );
}
