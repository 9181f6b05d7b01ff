import { useEffect } from "react";
import { Header, mainId } from "../ui/header";
import { blocksOf } from "./blocks";
import { addressOf, chapterIn, chapters, introduction, type Chapter } from "./chapters";
import { Choices, Chosen } from "./choices";
import classes from "./learn-page.module.css";
import { usePredictions } from "./predictions";
import { Text } from "./text";

/** The tutorial, with its contents at the side. */
export default function LearnPage() {
  const chapter = chapterIn(location.search);
  useEffect(() => {
    if (chapter) document.title = `${chapter.number}. ${chapter.title} · Tandem`;
    // The text was not there when the browser looked for the address' anchor.
    document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
  }, [chapter]);

  return (
    <div className={classes.page}>
      <Header />
      <div className={classes.columns}>
        <Contents current={chapter ?? undefined} />
        <main id={mainId} tabIndex={-1} className={classes.text}>
          {chapter ? <ChapterText key={chapter.number} chapter={chapter} /> : <Introduction missing={chapter === null} />}
        </main>
      </div>
    </div>
  );
}

/** The chapters: beside the text, or above it where there is no room. */
function Contents({ current }: { current: Chapter | undefined }) {
  const list = (
    <ol>
      {chapters.map((c) => (
        <li key={c.number}>
          <a href={addressOf(c.number)} aria-current={c === current ? "page" : undefined}><b>{c.number}</b><span>{c.title}</span></a>
        </li>
      ))}
    </ol>
  );

  return (
    <>
      <nav aria-label="Chapters" className={classes.contents}>
        <a href={addressOf()} className={classes.toStart} aria-current={current ? undefined : "page"}>The tutorial</a>
        {list}
      </nav>
      <details className={classes.above}>
        <summary>{current ? `Chapter ${current.number} of ${chapters.length}` : "The chapters"}</summary>
        <nav aria-label="Chapters"><a href={addressOf()} className={classes.toStart}>The tutorial</a>{list}</nav>
      </details>
    </>
  );
}

function ChapterText({ chapter }: { chapter: Chapter }) {
  const [made, predict] = usePredictions(chapter.file);
  const at = chapters.indexOf(chapter);
  const [before, after] = [chapters[at - 1], chapters[at + 1]];

  return (
    <article data-testid="lesson">
      <h1>{chapter.title}</h1>
      <p className={classes.question}>{chapter.question}</p>

      {blocksOf(chapter.text).map((block, i) => {
        switch (block.kind) {
          case "text":
            return <Text key={i}>{block.text}</Text>;
          case "choices":
            return <Choices key={i} choices={block.choices} chosen={made[block.index]} onChoose={(letter) => predict(block.index, letter)} />;
          case "chosen":
            return <Chosen key={i} of={block.of} made={made} />;
        }
      })}

      <nav aria-label="Before and after" className={classes.turn}>
        {before && <a href={addressOf(before.number)} rel="prev"><small>Before</small>{before.title}</a>}
        {after && <a href={addressOf(after.number)} rel="next"><small>Next</small>{after.title}</a>}
      </nav>
    </article>
  );
}

function Introduction({ missing }: { missing: boolean }) {
  return (
    <article data-testid="lesson">
      <h1>Queue or stream?</h1>
      {missing && <p className={classes.chosen} role="alert">There is no such chapter. These are there:</p>}
      <Text>{introduction}</Text>
    </article>
  );
}
