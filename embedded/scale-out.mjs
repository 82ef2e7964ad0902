// npm run test:scale-out: the suites of the API, the flusher and MySQL on a MySQL of several servers, then the torture.
import { runTestProgram } from "./test-program.mjs";

await runTestProgram("scale-out", ["test/scale-out/main.ts", ...process.argv.slice(2)]);
