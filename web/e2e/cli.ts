// The commands that the pages show ("Same in AWS CLI"), run as the SDK's calls.

const targets: Record<string, { target: string; type: string }> = {
  sqs: { target: "AmazonSQS", type: "application/x-amz-json-1.0" },
  kinesis: { target: "Kinesis_20131202", type: "application/x-amz-json-1.1" },
};

const pascal = (kebab: string) => kebab.replace(/(^|-)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
const lists = new Set(["attribute-names"]);

/** Runs an aws command of the pages: one in $( ) first, whose answer is put in its place. */
export async function runCommand(command: string): Promise<unknown> {
  const inner = /"\$\(([^()]*)\)"/.exec(command);
  if (inner) return runCommand(command.replace(inner[0], JSON.stringify(await runCommand(inner[1]!))));

  const words = (command.match(/"[^"]*"|\S+/g) ?? []).map((w) => (w.startsWith('"') ? (JSON.parse(w) as string) : w));
  if (words.shift() !== "aws") throw new Error(`no aws command: ${command}`);
  const names: string[] = [];
  const options = new Map<string, string[]>();
  for (let i = 0; i < words.length; i++) {
    if (!words[i]!.startsWith("--")) {
      names.push(words[i]!);
      continue;
    }
    const values: string[] = [];
    const name = words[i]!.slice(2);
    while (i + 1 < words.length && !words[i + 1]!.startsWith("--") && (values.length === 0 || lists.has(name))) values.push(words[++i]!);
    options.set(name, values);
  }

  // What is for the tool alone, and no part of the call.
  const own = ["endpoint-url", "region", "query", "output"].map((name) => [name, options.get(name)?.[0]] as const);
  own.forEach(([name]) => options.delete(name));
  const { "endpoint-url": endpoint, query } = Object.fromEntries(own);
  const [service = "", call = ""] = names;
  const { target, type } = targets[service] ?? {};
  if (!endpoint || !target || !type) throw new Error(`nobody to ask: ${command}`);

  // A sequence number has 56 digits: it is no number, but a text.
  const body = Object.fromEntries([...options].map(([name, values]) => [pascal(name), lists.has(name) ? values : /^\d{1,9}$/.test(values[0] ?? "") ? Number(values[0]) : values[0]]));
  const answer = await fetch(endpoint, { method: "POST", headers: { "X-Amz-Target": `${target}.${pascal(call)}`, "Content-Type": type }, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${command}: ${answer.status} ${await answer.text()}`);

  const all = (await answer.json()) as Record<string, unknown>;
  return query ? query.split(".").reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], all) : all;
}
