// npm run fetch:tlc: the checker of docs/numbering for npm test and npm run model, into a cache outside the clone.
// With --if-possible it is no failure that it cannot be fetched.
import { Refusal, reportFailure, say } from "./refusal.mjs";
import { requireTlc } from "./tlc.mjs";

process.umask(0o022);
const ifPossible = process.argv.includes("--if-possible");
try {
  say(`TLC is in ${requireTlc(process.env).classes}`);
} catch (error) {
  if (ifPossible && error instanceof Refusal) say(`not fetched: ${error.message.split("\n", 1).join("")}`);
  else reportFailure(error);
}
