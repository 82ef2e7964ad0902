// npm run model: checks the model of the numbering with each of its settings, and fails where one does not come out as
// its file says. Names of settings choose some of them; --quick those that take seconds, --trace shows what breaks.
import { reportFailure, Refusal, say } from "./refusal.mjs";
import { checkModel, requireTlc, settings } from "./tlc.mjs";

/** @param {string[]} args */
function chosen(args) {
  const names = args.filter((arg) => !arg.startsWith("--"));
  const unknown = names.find((name) => !settings().some((setting) => setting.name === name));
  if (unknown !== undefined) throw new Refusal(`There is no setting ${unknown} in docs/numbering.`);
  const isQuick = args.includes("--quick");
  return settings().filter(
    (setting) => (names.length === 0 || names.includes(setting.name)) && (!isQuick || setting.isQuick),
  );
}

/** @param {string[]} args */
async function checkAll(args) {
  const tlc = requireTlc(process.env);
  const unexpected = [];
  for (const { name, about, expected } of chosen(args)) {
    say(`${name}: ${about}`);
    const { outcome, states, steps, seconds, output } = await checkModel(tlc, name);
    const found = outcome === "holds" ? "holds" : `${outcome} is broken after ${steps} steps`;
    say(`  ${found}: ${states.toLocaleString("en")} states in ${seconds} s`);
    if (args.includes("--trace") || outcome === "failed") process.stdout.write(output);
    if (outcome !== expected) unexpected.push(`${name}: ${outcome}, where ${expected} was expected`);
  }
  if (unexpected.length > 0)
    throw new Refusal(`The model does not show what it should:\n${unexpected.join("\n")}`);
}

try {
  await checkAll(process.argv.slice(2));
} catch (error) {
  reportFailure(error);
}
