/// <reference lib="es2024.string" />

import { z } from "zod";

/** Absent, null, empty or nothing but white space. */
export const isBlank = (value: unknown) =>
  value === undefined || value === null || (typeof value === "string" && !/\S/.test(value));

/** Characters as people and MySQL count them: a pair of surrogates is one. */
export function fits(text: string, maxCharacters: number): boolean {
  if (text.length <= maxCharacters) return true;
  return text.length <= maxCharacters * 2 && Array.from(text).length <= maxCharacters;
}

const blank = "can't be blank";

/** Half a surrogate pair has no UTF-8 form and would come back as something else. */
const wellFormed = (text: z.ZodString) =>
  text.refine((value) => value.isWellFormed(), { error: "must be well-formed Unicode text", abort: true });

const limited = (text: z.ZodString, maxCharacters: number) =>
  text
    .refine((value) => fits(value, maxCharacters), `is too long (maximum is ${maxCharacters} characters)`)
    .meta({ maxLength: maxCharacters });

/** A text of at most so many characters; it may be empty. */
export const shortText = (maxCharacters: number) =>
  limited(wellFormed(z.string({ error: "must be a string" })), maxCharacters);

/** A text that says something. */
export const filledText = () =>
  wellFormed(
    z
      .string({ error: (issue) => (isBlank(issue.input) ? blank : "must be a string") })
      .refine((text) => !isBlank(text), { error: blank, abort: true }),
  ).meta({ minLength: 1, pattern: "\\S" });

/** A text that says something in at most so many characters. */
export const filledShortText = (maxCharacters: number) => limited(filledText(), maxCharacters);
