import { useMediaQuery } from "@mantine/hooks";
import { useMemo } from "react";
import type { Padding } from "../map/base";

/** The part of the map that panels cover, so that what matters lies beside them. */
export function usePadding(strip: boolean): Padding {
  const phone = useMediaQuery("(max-width: 48em)");
  return useMemo(
    () =>
      phone
        ? { top: 70, bottom: Math.round(innerHeight * 0.46) + 30, left: 40, right: 40 }
        : { top: 90, bottom: strip ? 290 : 60, left: 440, right: 80 },
    [phone, strip],
  );
}
