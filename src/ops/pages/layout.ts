import type { Operator } from "../access/operator.ts";
import { html, type Html } from "../html.ts";

/** A page's address and name in the navigation. */
const pages = [
  ["/ops", "Overview"],
  ["/ops/partitions", "Partitions"],
  ["/ops/dead-letters", "Dead letters"],
  ["/ops/jobs", "Jobs"],
  ["/ops/backups", "Backups"],
  ["/ops/history", "History"],
  ["/ops/addresses", "Addresses"],
  ["/ops/audit", "Audit"],
] as const;

/** What every page is told about who sees it. */
export interface Viewer {
  readonly operator: Operator;
  readonly isReadOnly: boolean;
  /** Names the installation. */
  readonly namespace: string;
}

export interface PageParts {
  readonly title: string;
  /** The address of its entry in the navigation. */
  readonly section: string;
  readonly body: Html;
  /** Seconds after which a browser without JavaScript loads the page anew. */
  readonly refreshSeconds?: number;
  /** What was just done, from the address. */
  readonly notice?: string | undefined;
}

/** A whole page for somebody who is in. */
export function page(viewer: Viewer, parts: PageParts): string {
  const { operator, namespace } = viewer;
  const header = html`<header>
    <div class="bar">
      <a class="brand" href="/ops">Sluice</a>
      <span class="badge" title="REDIS_NAMESPACE">${namespace}</span>
      ${viewer.isReadOnly ? html`<span class="badge">read-only</span>` : undefined}
      <span class="badge quiet" id="live" role="status"></span>
      <span class="who">${operator.who}</span>
      ${
        operator.via === "session"
          ? html`<form method="post" action="/ops/sign-out"><button class="quiet">Sign out</button></form>`
          : undefined
      }
    </div>
    <nav aria-label="Pages">
      ${pages.map(
        ([href, name]) =>
          html`<a href="${href}" ${href === parts.section ? html`aria-current="page"` : undefined}
            >${name}</a
          >`,
      )}
    </nav>
  </header>`;
  const notice =
    parts.notice === undefined ? undefined : html`<p class="notice" role="status">${parts.notice}</p>`;
  return document(
    parts,
    html`${header}
      <main id="main" tabindex="-1">${notice}${parts.body}</main>`,
  );
}

/** A page for somebody who is not in, or for whom something went wrong. */
export function barePage(title: string, body: Html): string {
  return document({ title }, html`<main id="main" class="narrow" tabindex="-1">${body}</main>`);
}

function document(
  { title, refreshSeconds }: Pick<PageParts, "title" | "refreshSeconds">,
  body: Html,
): string {
  const refresh =
    refreshSeconds === undefined
      ? undefined
      : html`<noscript><meta http-equiv="refresh" content="${refreshSeconds}" /></noscript>`;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Sluice</title>
        ${refresh}
        <link rel="icon" href="/ops/assets/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/ops/assets/uplot.css" />
        <link rel="stylesheet" href="/ops/assets/ops.css" />
        <script src="/ops/assets/uplot.js" defer></script>
        <script src="/ops/assets/ops.js" defer></script>
      </head>
      <body>
        <a class="skip" href="#main">To the content</a>
        ${body}
      </body>
    </html> `.text;
}

/** A form's hidden proof that it is of this page. */
export const formToken = ({ operator }: Viewer) =>
  html`<input type="hidden" name="form" value="${operator.formToken}" />`;

/** A table that scrolls by itself where it is wider than the screen, also by keyboard. */
export function table(label: string, heads: readonly string[], rows: Html, attributes?: Html): Html {
  return html`<div class="scroll" role="region" aria-label="${label}" tabindex="0">
    <table>
      <thead>
        <tr>
          ${heads.map((head) => html`<th scope="col">${head}</th>`)}
        </tr>
      </thead>
      <tbody ${attributes}>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

/** One line that says there is nothing to show. */
export const emptyRow = (columns: number, text: string) =>
  html`<tr>
    <td colspan="${columns}" class="muted">${text}</td>
  </tr>`;

/** Links to the page before and the one after. */
export function pager(previous: string | undefined, next: string | undefined, where: string): Html {
  return html`<nav class="pager" aria-label="Pages of this list">
    ${previous === undefined ? undefined : html`<a rel="prev" href="${previous}">← Previous</a>`}
    <span class="muted">${where}</span>
    ${next === undefined ? undefined : html`<a rel="next" href="${next}">Next →</a>`}
  </nav>`;
}
