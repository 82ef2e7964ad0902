// npm run test:crash -- --minutes 10 --seed 42: the torture of test/crash/, for as long as it is told.
import { runTestProgram } from "./test-program.mjs";

await runTestProgram("crash", ["test/crash/main.ts", ...process.argv.slice(2)]);
