import { useEffect, useRef, useState } from "react";

const pause = 5000; // ms between two messages

/** A text for a polite live region: at most one message in five seconds, and the newest of those that came meanwhile. */
export function usePolite(text: string): string {
  const [said, setSaid] = useState("");
  const saidAt = useRef(0);

  useEffect(() => {
    if (text === said) return;

    const timer = setTimeout(() => {
      saidAt.current = Date.now();
      setSaid(text);
    }, Math.max(0, saidAt.current + pause - Date.now()));

    return () => clearTimeout(timer);
  }, [text, said]);

  return said;
}
