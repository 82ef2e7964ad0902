import { validate } from "node-cron";
import { z } from "zod";

/** What is said of a variable to people. */
export interface About {
  readonly meaning: string;
  /** Which values it takes. */
  readonly takes: string;
  /** What an absent or empty one means; empty for none. */
  readonly fallback: string;
}

const about = z.registry<About>();

/** @throws where a variable was made without saying what it means */
export function aboutVariable(variable: z.ZodType): About {
  const found = about.get(variable);
  if (!found) throw new Error("a variable without a meaning");
  return found;
}

/** A variable of which an absent and an empty value mean the same: the schema's default. */
export function variable<T extends z.ZodType>(schema: T, said: About) {
  const made = z.preprocess((value) => (value === "" ? undefined : value), schema);
  about.add(made, said);
  return made;
}

export function integer(minimum: number, maximum: number, fallback: number, meaning: string) {
  const schema = z
    .string()
    .regex(/^\d+$/, "must be a whole number")
    .transform(Number)
    .pipe(z.number().min(minimum).max(maximum))
    .default(fallback);
  return variable(schema, { meaning, takes: `${minimum} to ${maximum}`, fallback: String(fallback) });
}

export function text(fallback: string, meaning: string) {
  return variable(z.string().default(fallback), { meaning, takes: "text", fallback });
}

/** Letters, digits and marks that a pattern allows. */
export function word(pattern: RegExp, takes: string, fallback: string, meaning: string) {
  return variable(z.string().regex(pattern, `must be ${takes}`).default(fallback), {
    meaning,
    takes,
    fallback,
  });
}

export function oneOf<const Words extends readonly [string, ...string[]]>(
  words: Words,
  fallback: Words[number],
  meaning: string,
) {
  const schema = z.enum(words).default(fallback as z.util.NoUndefined<Words[number]>);
  return variable(schema, { meaning, takes: wordsOf(words), fallback });
}

/** As a sentence has them: a, b or c. */
export function wordsOf(words: readonly string[]): string {
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1) ?? ""}`;
}

export function flag(meaning: string) {
  const schema = z
    .enum(["true", "false", "1", "0"], { error: "must be true or false" })
    .default("false")
    .transform((value) => value === "true" || value === "1");
  return variable(schema, { meaning, takes: "true or false", fallback: "false" });
}

const cronFields = "a cron expression of five or six fields";

export function cronExpression(fallback: string, meaning: string) {
  const schema = z
    .string()
    .refine((expression) => validate(expression), `must be ${cronFields}`)
    .default(fallback);
  return variable(schema, { meaning, takes: "a cron expression", fallback });
}

/** A job's schedule, or `off`. */
export function jobCron(fallback: string, meaning: string) {
  const schema = z
    .string()
    .refine((expression) => expression === "off" || validate(expression), `must be ${cronFields}, or off`)
    .default(fallback)
    .transform((expression) => (expression === "off" ? undefined : expression));
  return variable(schema, { meaning, takes: "a cron expression, or off", fallback });
}
