import type { Path } from "../observed/recorded.ts";
import { isApplication, pathIn } from "../observed/recorded.ts";
import type { Recorder } from "../observed/recorder.ts";
import { waitFor } from "../support/wait-for.ts";
import type { Workspace } from "../support/workspace.ts";
import type { Caller } from "./caller.ts";
import { allRows, leftInRedis, repeatedOperationIds, type Row, untilDrained } from "../support/kept.ts";
import type { Operator } from "./operator.ts";

const name = "last look";
const perPage = 100;

/**
 * When everything runs again and nothing waits any more: looks at every record that is there or ever was, compares
 * what is read with what MySQL has, and asks each parent for one more number.
 */
export async function lookAtTheEnd(
  workspace: Workspace,
  operator: Operator,
  caller: Caller,
  recorder: Recorder,
): Promise<{ rows: number; problems: readonly string[] }> {
  await waitFor(() => operator.hasRequeuedAll(), { what: "a Redis that has all dead letters tried again" });
  await untilDrained(workspace);
  recorder.note(name, { do: "drain" }, performance.now());
  const applications = pathsMade(recorder).filter(isApplication);
  // A Redis of several masters, or a MySQL, comes back to each process by parts.
  const isServed = async (path: Path) =>
    (await caller.list(path, { order: "asc", perPage: 1 })).outcome !== "unknown";
  const areServed = async () => (await Promise.all(applications.map(isServed))).every(Boolean);
  await waitFor(areServed, { what: "an API that serves every application" });

  const rows = await allRows(workspace);
  const problems = [...(await leftInRedis(workspace)), ...(await repeatedOperationIds(workspace))];
  for (const path of applications) {
    await recorder.record(name, () => caller.read(path));
    problems.push(...(await compareBeneath(path, rows, caller, recorder)));
  }
  for (const path of pathsMade(recorder).filter((one) => one.split("/").length === 2)) {
    await recorder.record(name, () => caller.read(path));
    problems.push(...(await compareBeneath(path, rows, caller, recorder)));
  }
  return { rows: rows.length, problems };
}

function pathsMade({ history }: Recorder): Path[] {
  const paths = history.flatMap((act) =>
    act.do === "post" && act.name !== undefined ? [pathIn(act.parent, act.name)] : [],
  );
  return [...new Set(paths)];
}

/** Lists all of a parent, where it is there, and asks it for one more; says where the list is not what MySQL has. */
async function compareBeneath(
  parent: Path,
  rows: readonly Row[],
  caller: Caller,
  recorder: Recorder,
): Promise<string[]> {
  const read: string[] = [];
  for (let after: number | undefined = 0; after !== undefined;) {
    const from: number = after;
    const page = await recorder.record(name, () =>
      caller.list(parent, { order: "asc", perPage, after: from }),
    );
    if (page.outcome === "missing") return [];
    if (page.outcome !== "done") return [`${parent} cannot be listed`];
    read.push(...page.items.map(({ number, text }) => `${number} ${text}`));
    after = page.to === Infinity ? undefined : page.to;
  }
  await recorder.record(name, () => caller.post(parent, `one more in ${parent}`));
  const stored = rows
    .filter((row) => row.kind !== "application" && parentOfRow(row) === parent)
    .sort((a, b) => Number(a.name) - Number(b.name))
    .map((row) => `${row.name} ${row.text}`);
  const differing = [
    ...read.filter((one) => !stored.includes(one)),
    ...stored.filter((one) => !read.includes(one)),
  ];
  if (read.join("\n") === stored.join("\n")) return [];
  return [`what is listed of ${parent} is not what MySQL has: ${differing.join(", ")}`.slice(0, 300)];
}

function parentOfRow({ kind, token, chat = "" }: Row): Path {
  return kind === "chat" ? token : `${token}/${chat}`;
}
