// A launcher as small as can be: a session in the folder it is told, around a program it is told.
import { reportFailure, say } from "../../embedded/refusal.mjs";
import { runSession } from "../../embedded/session.mjs";

const [directory = "", script = ""] = process.argv.slice(2);
const options = { directory, env: process.env, address: "http://127.0.0.1:1234", log: say };

try {
  process.exitCode = await runSession(options, ({ node }) => node("app", ["--eval", script]));
} catch (error) {
  reportFailure(error);
}
