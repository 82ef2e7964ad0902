// npm run docs: writes docs/configuration.md from the variables.
import { writeFileSync } from "node:fs";

import { configurationPage } from "./page.ts";

writeFileSync(new URL("../../docs/configuration.md", import.meta.url), configurationPage());
