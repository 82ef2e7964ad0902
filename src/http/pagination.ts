import { z } from "zod";
import { invalidParameter } from "../errors.ts";
import type { RouteContext } from "./context.ts";
import type { Page, PageRequest } from "./services.ts";

export const defaultPerPage = 10;
const maxPerPage = 100;
/** Far beyond any list, and its product with `per_page` is still exact. */
const maxPage = 1_000_000_000;

const wholeNumber = (minimum: number, maximum: number) => {
  const complaint = `must be a whole number from ${minimum} to ${maximum}`;
  return z
    .string({ error: "must be given once" })
    .regex(/^(?:0|[1-9]\d{0,15})$/, { error: complaint, abort: true })
    .transform(Number)
    .pipe(z.int(complaint).min(minimum, complaint).max(maximum, complaint))
    .optional();
};

/** The query of every list. */
export const pageQuery = z.object({
  page: wholeNumber(1, maxPage).meta({ description: "The page, counted from 1.", default: 1 }),
  per_page: wholeNumber(1, maxPerPage).meta({ description: "Records a page.", default: defaultPerPage }),
  after: wholeNumber(0, Number.MAX_SAFE_INTEGER).meta({
    description:
      "Instead of `page`: the last number seen. The page begins behind it, at the same cost however far it is.",
  }),
  order: z
    .enum(["asc", "desc"], { error: "must be asc or desc, given once" })
    .optional()
    .meta({ description: "By number or time of creation, rising or falling.", default: "asc" }),
});

/** What a list says of a page that was asked for by its number. */
export const pageMeta = z.object({
  current_page: z.int().min(1),
  per_page: z.int().min(1).max(maxPerPage),
  next_page: z.int().min(2).nullable().describe("Null on the last page."),
  previous_page: z.int().min(1).nullable().describe("Null on the first page."),
});

/** What a list says of a page that was asked for by the number before it. */
export const keysetMeta = z.object({
  per_page: z.int().min(1).max(maxPerPage),
  next_after: z.int().min(1).nullable().describe("What `after` is for the next page; null on the last."),
});

/**
 * The page a query asks for.
 *
 * @throws {ApiError} `invalidParameter`, naming the parameter
 */
export function pageFrom(query: unknown): PageRequest {
  const { page, per_page: perPage = defaultPerPage, after, order = "asc" } = parametersFrom(pageQuery, query);
  if (after === undefined) return { start: { kind: "page", number: page ?? 1 }, perPage, order };
  if (page !== undefined) throw invalidParameter("after", "cannot be combined with page");
  return { start: { kind: "after", after }, perPage, order };
}

/**
 * A query's members, as a schema reads them.
 *
 * @throws {ApiError} `invalidParameter`, naming the first that is wrong
 */
export function parametersFrom<S extends z.ZodObject>(schema: S, query: unknown): z.output<S> {
  const parsed = schema.safeParse(query);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalidParameter(String(issue?.path[0] ?? "query"), issue?.message ?? "is invalid");
}

/** A page, how it was asked for, and how its records are shown. */
export interface ListAnswer<T> {
  readonly request: PageRequest;
  readonly page: Page<T>;
  readonly present: (item: T) => object;
  /** A record's number; absent for records that have none and so know no keyset. */
  readonly numberOf?: (item: T) => number;
}

/** Answers one page of a list under its name, with `meta` and links to its neighbours. */
export function sendList<T>(ctx: RouteContext, name: string, answer: ListAnswer<T>): void {
  const { meta, links } = around(answer);
  const { perPage, order } = answer.request;
  setLinks(ctx, links, `per_page=${perPage}${order === "asc" ? "" : `&order=${order}`}`);
  ctx.body = { [name]: answer.page.items.map(answer.present), meta };
}

/** A page beside one that is shown, by the part of its query that differs. */
interface Neighbour {
  readonly rel: string;
  readonly query: string;
}

interface Around {
  readonly meta: z.infer<typeof pageMeta> | z.infer<typeof keysetMeta>;
  readonly links: readonly Neighbour[];
}

function around<T>({ request, page, numberOf }: ListAnswer<T>): Around {
  const { start, perPage } = request;
  if (start.kind === "page") return aroundNumber(start.number, perPage, page.hasNext);
  const last = page.items.at(-1);
  const nextAfter = page.hasNext && last !== undefined && numberOf ? numberOf(last) : null;
  const links = nextAfter === null ? [] : [{ rel: "next", query: `after=${nextAfter}` }];
  return { meta: { per_page: perPage, next_after: nextAfter }, links };
}

/** What is said of a page that was asked for by its number. */
export function aroundNumber(
  number: number,
  perPage: number,
  hasNext: boolean,
): { meta: z.infer<typeof pageMeta>; links: readonly Neighbour[] } {
  const next = hasNext && number < maxPage ? number + 1 : null;
  const previous = number > 1 ? number - 1 : null;
  const links = [{ rel: "first", query: "page=1" }];
  if (previous !== null) links.push({ rel: "prev", query: `page=${previous}` });
  if (next !== null) links.push({ rel: "next", query: `page=${next}` });
  const meta = { current_page: number, per_page: perPage, next_page: next, previous_page: previous };
  return { meta, links };
}

/** Names a page's neighbours in `Link`; `rest` is what their queries have in common. */
export function setLinks(ctx: RouteContext, links: readonly Neighbour[], rest: string): void {
  if (links.length === 0) return;
  const all = links.map(({ rel, query }) => `<${ctx.path}?${query}&${rest}>; rel="${rel}"`);
  ctx.set("Link", all.join(", "));
}
