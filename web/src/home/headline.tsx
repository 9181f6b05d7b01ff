import classes from "./home-page.module.css";

/** The difference in two lines. */
export function Headline() {
  return (
    <h1 className={classes.headline}>
      <span>Every car <span className={classes.part}>is a <em className="stream">stream</em>.</span></span>{" "}
      <span>Every ride <span className={classes.part}>is a <em className="queue">queue</em>.</span></span>
    </h1>
  );
}
