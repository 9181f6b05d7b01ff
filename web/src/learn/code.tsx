import { Button } from "@mantine/core";
import { Fragment, useEffect, useState } from "react";
import { codeTextOf, commentIn } from "./blocks";
import classes from "./learn-page.module.css";

/** A block of code or of what is printed, with its name and, where it is typed, a button that copies it. */
export function Code({ language, text }: { language: string | undefined; text: string }) {
  const { name, code, copied } = codeTextOf(language, text);

  return (
    <figure className={classes.code} data-language={language}>
      <figcaption>
        <span>{name}</span>
        {copied && <Copy text={code} />}
      </figcaption>
      <pre tabIndex={0} role="group" aria-label={name}><code>{language === "text" ? code : <Commented code={code} />}</code></pre>
    </figure>
  );
}

/** The comments stand back, and the code has no other colour: amber and blue mean queue and stream. */
function Commented({ code }: { code: string }) {
  return code.split("\n").map((line, i) => {
    const [runs, comment] = commentIn(line);
    return <Fragment key={i}>{i > 0 && "\n"}{runs}{comment && <span className={classes.comment}>{comment}</span>}</Fragment>;
  });
}

function Copy({ text }: { text: string }) {
  const [done, setDone] = useState<"copied" | "refused">();
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(undefined), 3000);
    return () => clearTimeout(timer);
  }, [done]);

  // A browser copies only for a page of this machine, or one that came encrypted.
  const copy = () => (navigator.clipboard ? navigator.clipboard.writeText(text) : Promise.reject()).then(() => setDone("copied"), () => setDone("refused"));

  return (
    <Button size="xs" variant="subtle" onClick={() => void copy()}>
      <span aria-live="polite">{done === "copied" ? "Copied" : done === "refused" ? "Select it by hand" : "Copy"}</span>
    </Button>
  );
}
