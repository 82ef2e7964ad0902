// npm run test:simulation -- --seeds 1000 --from 1: the simulation of test/simulation/, as it is told.
import { runTestProgram } from "./test-program.mjs";

await runTestProgram("simulation", ["test/simulation/main.ts", ...process.argv.slice(2)]);
