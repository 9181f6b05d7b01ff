import { admin, driver, Problem, rider, whoAmI } from "../../api/client";
import { placeName, short } from "../../api/format";
import type { Overview, Ride, RideEvent, Role } from "../../api/types";
import { partId, type PartKind } from "../../console/part-id";
import { addressOf } from "../../rider/address";
import { beneath, links } from "../page-links";

/** Something that a page can show, and where. */
export interface Hit {
  name: string;
  about: string;
  href: string;
}

export interface Answer {
  hits: Hit[];
  note: string; // what was found that no page shows, and where was looked in vain
}

/** Those who are asked for an id. A role in which nobody has signed in here is asked nothing. */
export interface Sources {
  whoAmI: (role: Role) => Promise<{ subject: string } | undefined>;
  ownRides: () => Promise<{ rides: Ride[] }>;
  events: (ride: string) => Promise<RideEvent[]>;
  ride: (role: "rider" | "driver" | "admin", id: string) => Promise<Ride>;
  lastPoint: (driver: string) => Promise<{ lat: number; lon: number }>;
  overview: () => Promise<Overview>;
}

const listed = 50; // of the rider's own rides, the latest
const searched = 8; // of them, those whose messages are read

export const sources: Sources = {
  whoAmI,
  ownRides: () => rider.rides(listed),
  events: rider.events,
  ride: (role, id) => ({ rider, driver, admin })[role].ride(id),
  lastPoint: admin.lastPoint,
  overview: admin.overview,
};

export const longest = 100; // letters: no id has more
const mostHits = 8;

/** The pages whose name, address or subject has the text. */
export function pagesLike(text: string): Hit[] {
  const q = text.trim().toLowerCase();
  return [...links, ...beneath].filter((l) => `${l.name} ${l.about} ${l.href}`.toLowerCase().includes(q));
}

type Subjects = Partial<Record<Role, string>>;
type Finding = Hit | string; // a string: it is there, but no page shows it

/** Whatever has this id, as far as those who have signed in here may see it. Pages are not among it. */
export async function find(text: string, from: Sources): Promise<Answer> {
  const q = text.trim().slice(0, longest);
  const pages = pagesLike(q).length;
  if (!/^[\w.:…-]{3,}$/.test(q)) return { hits: [], note: pages ? counted(pages) : "No page has this name, and no id looks like this." };

  const roles = ["rider", "driver", "admin"] as const;
  const known = await Promise.all(roles.map((role) => from.whoAmI(role).catch(() => undefined)));
  const who: Subjects = Object.fromEntries(roles.map((role, i) => [role, known[i]?.subject]));

  const asked = await Promise.allSettled([yourself(q, who), rides(q, who, from), drivers(q, who, from), parts(q, who, from)]);
  const findings = asked.flatMap((a) => (a.status === "fulfilled" ? a.value : []));
  const hits = findings.filter((f) => typeof f !== "string").slice(0, mostHits);
  const facts = findings.filter((f) => typeof f === "string");
  const failed = asked.some((a) => a.status === "rejected") ? ["Not all of Tandem has answered: there may be more."] : [];

  const found = pages + hits.length;
  const said = found ? [counted(found)] : facts.length ? [] : [`Nothing here has this id. ${lookedAt(who)}`];
  return { hits, note: [...facts, ...said, ...failed].join(" ") };
}

const counted = (n: number) => `${n} found. Enter opens it, arrows choose.`;

/** Where one has looked, so that "nothing" says no more than it knows. */
function lookedAt(who: Subjects): string {
  const yes = [who.rider && "your rides and the messages of the latest", who.driver && "the rides that you drive", who.admin && "all rides, drivers, queues, workers, shards and readers"];
  const no = [!who.rider && "your rides (sign in at Ride)", !who.admin && "drivers, workers and shards (sign in at Console)"];
  const list = (all: unknown[]) => all.filter(Boolean).join("; ");

  return `${list(yes) && `Looked at: ${list(yes)}. `}${list(no) && `Not looked at: ${list(no)}. `}Only its own browser knows a rider's id.`;
}

/** Whether a text is an id, its beginning, or both its ends as the pages show them. */
export function isIdOf(q: string, id: string | undefined): boolean {
  const [a = "", b = ""] = q.toLowerCase().split("…");
  const whole = id?.toLowerCase() ?? "";
  return a.length >= 4 && whole.startsWith(a) && whole.endsWith(b);
}

async function yourself(q: string, who: Subjects): Promise<Finding[]> {
  return links.flatMap(({ href, name }) => {
    const role = href.slice(1) as Role;
    return isIdOf(q, who[role]) ? [{ name: `You, as ${role}`, about: name, href }] : [];
  });
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What a request answers, or nothing where it is refused as not there or not one's own. */
const ifThere = <T>(asked: Promise<T>): Promise<T | undefined> =>
  asked.catch((e: unknown) => {
    if (e instanceof Problem && e.status >= 400 && e.status < 500) return undefined;
    throw e;
  });

async function rides(q: string, who: Subjects, from: Sources): Promise<Finding[]> {
  const own = who.rider ? (await from.ownRides()).rides : [];
  const hits = own.filter((r) => isIdOf(q, r.id)).map(rideHit);
  if (hits.length > 0) return hits;

  const events = await Promise.all(own.slice(0, searched).map(async (r) => ({ r, all: await from.events(r.id) })));
  const carried = events.filter(({ all }) => all.some((e) => isIdOf(q, String(e.data.message_id ?? ""))));
  if (carried.length > 0) return carried.map(({ r }) => ({ ...rideHit(r), name: `Message of ride ${short(r.id)}` }));
  if (!uuid.test(q)) return [];

  // Somebody else's, or an older one. The page of rides shows a rider's own alone.
  for (const role of ["rider", "driver", "admin"] as const) {
    const ride = who[role] && (await ifThere(from.ride(role, q)));
    if (ride && role === "rider") return [rideHit(ride)];
    if (ride) return [`Ride ${short(ride.id)} is there, ${stateOf(ride)}; only the page of its own rider shows it.`];
  }
  return [];
}

const stateOf = (r: Ride) => r.state.replace("_", " ");
const rideHit = (r: Ride): Hit => ({ name: `Ride ${short(r.id)}`, about: `${stateOf(r)}, ${placeName(r.pickup)} to ${placeName(r.dropoff)}`, href: addressOf(r.id) });

const around = 0.004; // degrees, about 400 m each way

async function drivers(q: string, who: Subjects, from: Sources): Promise<Finding[]> {
  if (!who.admin || q.includes("…")) return [];

  const fix = await ifThere(from.lastPoint(q));
  if (!fix) return [];
  const box = [fix.lon - around, fix.lat - around, fix.lon + around, fix.lat + around].map((n) => n.toFixed(5));
  return [{ name: `Driver ${short(q)}`, about: "where its last point was, on the map", href: `/?box=${box.join(",")}` }];
}

/** The queues, processes, shards and readers that the console has. */
async function parts(q: string, who: Subjects, from: Sources): Promise<Finding[]> {
  if (!who.admin) return [];

  const o = await from.overview();
  const all: { kind: PartKind; name: string; pid: number | undefined }[] = [
    ...o.queues.map((p) => ({ kind: "queue" as const, name: p.name, pid: undefined })),
    ...o.workers.map((p) => ({ kind: "worker" as const, name: p.name, pid: p.pid })),
    ...o.shards.map((p) => ({ kind: "shard" as const, name: p.shard, pid: undefined })),
    ...o.readers.map((p) => ({ kind: "reader" as const, name: p.reader, pid: undefined })),
    ...o.services.map((p) => ({ kind: "service" as const, name: p.name, pid: p.pid })),
  ];

  return all
    .filter((p) => p.name.toLowerCase().includes(q.toLowerCase()) || (p.pid && String(p.pid) === q))
    .map((p) => ({ name: p.name, about: `${p.kind}${p.pid ? `, pid ${p.pid}` : ""}, on the console`, href: `/admin#${partId(p.kind, p.name)}` }));
}
