import { mysqlRefusals } from "./mysql-refusals.ts";
import { outages } from "./outages.ts";
import { redisRefusals } from "./redis-refusals.ts";
import type { Refusal } from "./refusal.ts";

/** Ways in which real engines refuse, of which people report. */
export const catalogue: readonly Refusal[] = [...redisRefusals, ...mysqlRefusals, ...outages];

/** Those in whose name one of some texts stands, in any case. */
export function refusalsNamed(parts: readonly string[]): readonly Refusal[] {
  const isNamed = (name: string) => parts.some((part) => name.toLowerCase().includes(part.toLowerCase()));
  return catalogue.filter(({ name }) => isNamed(name));
}

/** Those of a server that runs and can be reached, and that pass by themselves: nothing is told of them at error level. */
export const passingRefusals: readonly Refusal[] = [...redisRefusals, ...mysqlRefusals].filter(
  ({ isDefect }) => !isDefect,
);
