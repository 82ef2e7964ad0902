import { z } from "zod";
import { invalidParameter, searchUnavailable } from "../../errors.ts";
import { maxQueryCharacters, maxQueryTerms, parseQuery, type Query } from "../../search/matching.ts";
import { maxHits } from "../../search/search.ts";
import { exampleMessage, exampleMeta } from "../openapi/examples.ts";
import { aroundNumber, defaultPerPage, pageQuery, parametersFrom, setLinks } from "../pagination.ts";
import { chatIn } from "../params.ts";
import { messagesPath } from "../paths.ts";
import { presentMessage } from "../resources/message.ts";
import type { Route } from "../route.ts";
import { chatMissing, unavailable } from "./common.ts";

const words = z.string({ error: "must be given once" }).optional();

/** The query of a search. */
const searchQuery = z.object({
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

/** The search. It must come before the routes of one message: `search` is not a message number. */
export const searchRoute: Route = {
  method: "get",
  path: `${messagesPath}/search`,
  id: "searchMessages",
  tag: "Messages",
  summary: "Search a chat's messages",
  description:
    "Finds messages that hold every word of the query, also inside a word, whatever its case and accents; the " +
    "query as a whole comes first, then whole words, then words that begin so, then the rest, each by number. " +
    "A message is found as soon as it has its 201. No character of a query is syntax.",
  query: searchQuery,
  success: {
    status: 200,
    description: "One page of matches, the best first.",
    headers: ["Link"],
    content: {
      schema: "FoundMessages",
      examples: {
        found: {
          messages: [presentMessage(exampleMessage)],
          meta: { ...exampleMeta, engine: "elasticsearch", degraded: false },
        },
      },
    },
  },
  errors: [
    invalidParameter("query", "is required: the words to search for"),
    ...chatMissing,
    ...unavailable,
    searchUnavailable(),
  ],
  handle: async (ctx, { search }) => {
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
    const rest = new URLSearchParams({ per_page: String(perPage), query: textIn(parameters) });
    setLinks(ctx, links, rest.toString());
    const { engine, degraded } = found;
    ctx.body = { messages: found.items.map(presentMessage), meta: { ...meta, engine, degraded } };
  },
};

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
