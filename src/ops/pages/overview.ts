import { html, type Html } from "../html.ts";
import { flushHeads, type LiveView, processHeads } from "../live-view.ts";
import type { Overview } from "../overview.ts";
import { emptyRow, page, table, type Viewer } from "./layout.ts";

/** The first page: whether all is well, what to do if not, and the numbers behind it. */
export function overviewPage(viewer: Viewer, overview: Overview, view: LiveView): string {
  const { numbers, engines } = overview;
  const body = html`<h1>Overview</h1>
    ${verdictBox(view)}
    ${numbers ? tiles(view.fields) : html`<p>Numbers are in Redis, which does not answer.</p>`}
    <h2>The last half hour</h2>
    <div class="charts" data-history="30m">
      <figure data-chart="rates"><figcaption>Records a second: accepted, flushed</figcaption></figure>
      <figure data-chart="pending"><figcaption>Records pending</figcaption></figure>
    </div>
    <p class="muted"><a href="/ops/history">History</a> has these as tables, and days of them.</p>
    <h2>Engines</h2>
    ${table(
      "Engines",
      ["Engine", "State", "Detail"],
      html`${engines.map(
        ({ name }) =>
          html`<tr>
            <td>${name}</td>
            <td>${field(view, `engine.${name}`)}</td>
            <td class="text">${field(view, `engine.${name}.detail`)}</td>
          </tr>`,
      )}`,
    )}
    <h2>Processes</h2>
    ${table("Processes", processHeads, cellRows(view, "processes", processHeads.length), tableName("processes"))}
    <h2>Last flushes</h2>
    ${table("Last flushes", flushHeads, cellRows(view, "flushes", flushHeads.length), tableName("flushes"))}
    <p class="muted">As of <span data-live="at">${view.fields["at"]}</span> UTC.</p>`;
  return page(viewer, { title: "Overview", section: "/ops", body, refreshSeconds: 10 });
}

/** The verdict and what led to it. */
export function verdictBox({ verdict, headline, findings }: LiveView): Html {
  return html`<section class="verdict ${verdict}" id="verdict" aria-live="polite">
    <p class="headline">${headline}</p>
    <ul>
      ${findings.map(
        ({ severity, what, remedy, page: where }) =>
          html`<li class="${severity}">
            <strong>${what}</strong> <span>${remedy}</span>
            ${where && html`<a href="${where.href}">${where.name}</a>`}
          </li>`,
      )}
    </ul>
  </section>`;
}

const tileNames = [
  ["acceptedPerSecond", "accepted a second"],
  ["flushedPerSecond", "flushed a second"],
  ["pending", "pending"],
  ["oldestAge", "oldest has waited"],
  ["pendingBytes", "bytes pending"],
  ["deadLetters", "dead letters"],
  ["drained", "partitions drained"],
  ["indexOwed", "search documents owed"],
  ["indexAge", "oldest owed has waited"],
  ["acceptedMessages", "messages accepted so far"],
  ["acceptedChats", "chats accepted so far"],
  ["conflicts", "number conflicts"],
] as const;

function tiles(fields: LiveView["fields"]): Html {
  return html`<dl class="tiles">
    ${tileNames.map(
      ([name, label]) =>
        html`<div>
          <dt>${label}</dt>
          <dd data-live="${name}">${fields[name]}</dd>
        </div>`,
    )}
  </dl>`;
}

/** A text that live updates replace. */
export const field = ({ fields }: LiveView, name: string) =>
  html`<span data-live="${name}" data-value="${fields[name]}">${fields[name]}</span>`;

const tableName = (name: string) => html`data-live-rows="${name}"`;

function cellRows({ tables }: LiveView, name: string, columns: number): Html {
  const rows = tables[name] ?? [];
  if (rows.length === 0) return emptyRow(columns, "None yet.");
  return html`${rows.map(
    (cells) =>
      html`<tr>
        ${cells.map((cell) => html`<td>${cell}</td>`)}
      </tr>`,
  )}`;
}
