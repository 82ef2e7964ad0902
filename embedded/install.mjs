// Makes node_modules current, as `npm start` and `npm test` do before anything else.
import { ensureModules } from "./modules.mjs";
import { requireNode } from "./project.mjs";
import { reportFailure } from "./refusal.mjs";

try {
  requireNode();
  await ensureModules();
} catch (error) {
  reportFailure(error);
}
