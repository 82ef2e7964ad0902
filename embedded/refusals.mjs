// npm run test:refusals -- --seconds 30 --only redis: the tour of test/refusals/, each refusal for as long as it is told.
import { runTestProgram } from "./test-program.mjs";

await runTestProgram("refusals", ["test/refusals/main.ts", ...process.argv.slice(2)]);
