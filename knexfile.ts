import { loadConfig } from "./src/config.ts";
import { knexSettings } from "./src/store/connection.ts";

/** For the `knex` command; the program itself migrates by `sluice migrate`. */
export default knexSettings(loadConfig().database, "writing");
