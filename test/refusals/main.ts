import { parseArgs } from "node:util";

import { refusalsNamed } from "./catalogue.ts";
import { describeEnd, describeVisit, tableHead } from "./tour-report.ts";
import { tour } from "./tour.ts";

const { values } = parseArgs({
  options: { seconds: { type: "string" }, only: { type: "string", multiple: true } },
});
const seconds = Number(values.seconds ?? 30);
const refusals = refusalsNamed(values.only ?? [""]);
if (!(seconds > 0) || refusals.length === 0) {
  throw new Error("usage: --seconds <number> --only <part of a name> …");
}
console.log(`a tour of ${refusals.length} refusals, ${seconds} seconds each\n${tableHead}`);
const report = await tour(refusals, seconds * 1000, (visit) => {
  console.log(describeVisit(visit));
});
console.log(describeEnd(report));
// At once: Node's own way out waits now and then for ever for a connection that was reset.
process.exit(report.problems.length === 0 ? 0 : 1);
