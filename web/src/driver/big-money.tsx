import { money } from "../api/format";
import type { Money } from "../api/types";
import classes from "./big-money.module.css";

/** An amount as a page's one number: the currency's name is smaller. */
export function BigMoney({ of }: { of: Money }) {
  const [amount, currency] = money(of).split(" ");
  return <span className={classes.amount}>{amount} <span className={classes.currency}>{currency}</span></span>;
}
