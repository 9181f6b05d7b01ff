import { useEffect, useState } from "react";
import { signedOut, whoAmI } from "../api/client";
import type { Role } from "../api/types";

/** Whether this browser has a session in another role. It is asked again when one comes back from another tab. */
export function useSignedIn(role: Role): boolean {
  const [subject, setSubject] = useState<string>();

  useEffect(() => {
    const ask = () => {
      if (!document.hidden) whoAmI(role).then((s) => setSubject(s?.subject), () => undefined);
    };
    ask();
    addEventListener("focus", ask);
    document.addEventListener("visibilitychange", ask);
    signedOut.addEventListener(role, ask);

    return () => {
      removeEventListener("focus", ask);
      document.removeEventListener("visibilitychange", ask);
      signedOut.removeEventListener(role, ask);
    };
  }, [role]);

  return subject !== undefined;
}
