import { setTimeout as pause } from "node:timers/promises";

import { passingRefusals } from "../refusals/catalogue.ts";
import type { Refusal } from "../refusals/refusal.ts";
import type { Fault } from "./faults.ts";
import type { System } from "./system.ts";

const holdMs = [200, 4000] as const;
/** There are many kinds: together they come about as often as all else. */
const rarity = 3;

/** What a single server of each kind can be made to refuse for a while. */
export function refusalFaults({ ground, servers }: System): Fault[] {
  if (!ground) return [];
  return passingRefusals.flatMap(({ name, engine, begin }: Refusal): Fault[] => {
    const target = servers[engine];
    if (!target) return [];
    const fault: Fault = {
      name,
      rarity,
      target,
      async strike(random) {
        const end = await begin(ground);
        await pause(random.integer(...holdMs));
        await end();
      },
    };
    return [fault];
  });
}
