// npm run test:engines: the suites on engines that are named to it, one pair after the other, and what came of each.
import { runTestProgram } from "./test-program.mjs";

await runTestProgram("engines", ["test/engines/main.ts", ...process.argv.slice(2)]);
