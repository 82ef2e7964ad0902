import { z } from "zod";
import type { Check } from "../services.ts";

/** What `/livez` is answered with. */
export const livenessView = z.object({ status: z.literal("live") });
export const live: z.infer<typeof livenessView> = { status: "live" };

/** What they may be asked with. */
export const readinessQuery = z.object({
  verbose: z.string().optional().describe("With any value, or none: what became of scheduled work as well."),
});

/** What `/readyz` and `/healthz` are answered with. */
export const readinessView = z.object({
  status: z.enum(["ready", "not ready"]),
  checks: z.array(
    z.object({
      name: z.string().describe("What was looked at."),
      ready: z.boolean(),
      detail: z.string().describe("What was found."),
    }),
  ),
});

export const presentReadiness = (checks: readonly Check[]): z.infer<typeof readinessView> => ({
  status: checks.every((check) => check.ready) ? "ready" : "not ready",
  checks: checks.map(({ name, ready, detail }) => ({ name, ready, detail })),
});
