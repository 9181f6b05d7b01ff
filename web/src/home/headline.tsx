import classes from "./home-page.module.css";

/** The difference in two lines. It gives its place to a ride's captions, and stays for who hears the page. */
export function Headline({ away }: { away: boolean }) {
  return (
    <h1 className={classes.headline} data-away={away || undefined}>
      <span>Every car <span className={classes.part}>is a <em className="stream">stream</em>.</span></span>{" "}
      <span>Every ride <span className={classes.part}>is a <em className="queue">queue</em>.</span></span>
    </h1>
  );
}
