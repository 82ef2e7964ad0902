import type { Json } from "./schemas.ts";

interface ProblemResponse {
  readonly content?: { readonly "application/problem+json"?: { readonly examples: Json } };
}

/** Collects the problems that operations answer with, so that the document writes down each one once. */
export class SharedResponses {
  readonly #byName = new Map<string, Json>();

  /** `components.responses` of the document. */
  get all(): Json {
    return Object.fromEntries(this.#byName);
  }

  /** An operation's responses with references in place of problems; other answers stay as they are. */
  share(responses: Json): Json {
    const shared = Object.entries(responses).map(([status, response]) => {
      const { examples } = (response as ProblemResponse).content?.["application/problem+json"] ?? {};
      if (!examples) return [status, response] as const;
      return [status, this.#keep(Object.keys(examples).map(asWord).join("Or"), response as Json)] as const;
    });
    return Object.fromEntries(shared);
  }

  /** The same codes may go with other sentences or headers: then the name gets a number. */
  #keep(name: string, response: Json, turn = 1): Json {
    const unique = turn === 1 ? name : `${name}${turn}`;
    const kept = this.#byName.get(unique);
    if (kept && JSON.stringify(kept) !== JSON.stringify(response))
      return this.#keep(name, response, turn + 1);
    this.#byName.set(unique, response);
    return { $ref: `#/components/responses/${unique}` };
  }
}

/** `body_too_large` as `BodyTooLarge`. */
const asWord = (code: string) =>
  code.replace(/(?:^|_)(\w)/g, (_whole, letter: string) => letter.toUpperCase());
