import { z } from "zod";

import { invalidParameter } from "../../errors.ts";
import { maxQueryCharacters, maxQueryTerms, parseQuery, type Query } from "../../search/matching.ts";
import { maxHits } from "../../search/search.ts";
import type { ApiRouter } from "../context.ts";
import { aroundNumber, defaultPerPage, pageQuery, parametersFrom, setLinks } from "../pagination.ts";
import { chatIn } from "../params.ts";
import { at } from "../paths.ts";
import { presentMessage } from "../resources/message.ts";
import type { Searcher } from "../services.ts";

const collection = "/applications/:token/chats/:number/messages/search";

const words = z.string({ error: "must be given once" }).optional();

/** The query of a search. */
export const searchQuery = z.object({
  query: words.meta({
    description:
      `What to search for, of at most ${maxQueryCharacters} characters and ${maxQueryTerms} words. Each word must ` +
      "occur, also inside a word, whatever its case and accents. Required, or its older spelling `q`.",
    examples: ["order"],
  }),
  q: words.meta({ description: "The same as `query`, in the spelling of older clients." }),
  page: pageQuery.shape.page,
  per_page: pageQuery.shape.per_page,
});

/** Adds the search. It must come before the routes of one message: `search` is not a message number. */
export function routeSearch(router: ApiRouter, search: Searcher): void {
  router.get(at(collection), async (ctx) => {
    const { token, chatNumber } = chatIn(ctx);
    const parameters = parametersFrom(searchQuery, ctx.query);
    const query = queryFrom(parameters);
    const { page: number = 1, per_page: perPage = defaultPerPage } = parameters;
    if (!isWithinReach(number, perPage)) {
      throw invalidParameter(
        "page",
        `must not reach beyond the first ${maxHits} matches; search for more words`,
      );
    }
    const found = await search.messages(token, chatNumber, query, { number, perPage });
    const hasNext = found.hasNext && isWithinReach(number + 1, perPage);
    const { meta, links } = aroundNumber(number, perPage, hasNext);
    setLinks(
      ctx,
      links,
      new URLSearchParams({ per_page: String(perPage), query: textIn(parameters) }).toString(),
    );
    const { engine, degraded } = found;
    ctx.body = { messages: found.items.map(presentMessage), meta: { ...meta, engine, degraded } };
  });
}

const isWithinReach = (page: number, perPage: number) => page * perPage <= maxHits;

const textIn = ({ query, q }: z.infer<typeof searchQuery>) => query ?? q ?? "";

/** What is searched for. @throws {ApiError} `invalidParameter` where it is missing or no engine takes it */
function queryFrom(parameters: z.infer<typeof searchQuery>): Query {
  const name = parameters.query === undefined && parameters.q !== undefined ? "q" : "query";
  const parsed = parseQuery(textIn(parameters));
  switch (parsed.kind) {
    case "query":
      return parsed.query;
    case "blank":
      throw invalidParameter(name, "is required: the words to search for");
    case "too-long":
      throw invalidParameter(name, `must have at most ${maxQueryCharacters} characters`);
    case "too-many-terms":
      throw invalidParameter(name, `must have at most ${maxQueryTerms} words`);
  }
}
