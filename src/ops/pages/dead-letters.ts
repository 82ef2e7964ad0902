import { type DeadLetter, isSetAside, revisionOf } from "../../buffer/dead-letters.ts";
import type { DeadLetterPage, DeadLetterQuery } from "../dead-letter-pages.ts";
import { countText, manyText, timeText } from "../format.ts";
import { html, type Html } from "../html.ts";
import { emptyRow, formToken, page, pager, table, type Viewer } from "./layout.ts";

const section = "/ops/dead-letters";
const perPageChoices = [25, 50, 100];
const previewCharacters = 160;
/** Dead letters that one request takes on; for more it is sent again. */
export const mostAtOnce = 1000;

/** The address of a view of the list. */
export function listAddress({ partition, from, perPage, search }: DeadLetterQuery): string {
  const query = new URLSearchParams();
  if (partition > 0) query.set("partition", String(partition));
  if (search !== "") query.set("q", search);
  if (perPage !== perPageChoices[0]) query.set("per", String(perPage));
  if (from > 0) query.set("from", String(from));
  return query.size === 0 ? section : `${section}?${query.toString()}`;
}

export interface ListParts {
  readonly query: DeadLetterQuery;
  readonly found: DeadLetterPage;
  /** Dead letters of each partition. */
  readonly counts: readonly number[];
  readonly notice: string | undefined;
}

/** The list, what to look for in it, and what to do with what is chosen. */
export function deadLettersPage(viewer: Viewer, { query, found, counts, notice }: ListParts): string {
  const { total, letters } = found;
  const body = html`<h1>Dead letters</h1>
    <p>
      MySQL refused these for what they hold. They are readable as before and wait for a person. A requeued
      one is tried with the next flush; of a discarded one the number stays given. Their ids hold the tokens
      of applications: treat this page as you treat tokens.
    </p>
    ${filterForm(query, counts)} ${listForm(viewer, query, letters)}
    ${pager(
      query.from > 0 ? listAddress({ ...query, from: Math.max(0, query.from - query.perPage) }) : undefined,
      found.next === undefined ? undefined : listAddress({ ...query, from: found.next }),
      whereText(query, found),
    )}
    ${viewer.isReadOnly || total === letters.length ? undefined : allForm(viewer, query, total)}`;
  return page(viewer, { title: "Dead letters", section, body, notice });
}

function whereText({ from, search }: DeadLetterQuery, { letters, total, examined }: DeadLetterPage): string {
  if (total === 0) return "None.";
  const range = `${countText(Math.min(from + 1, total))}–${countText(from + examined)} of ${countText(total)}`;
  if (search === "") return range;
  return `${manyText(letters.length, "match", "matches")} among ${range}, the newest first`;
}

function filterForm({ partition, perPage, search }: DeadLetterQuery, counts: readonly number[]): Html {
  return html`<form method="get" action="${section}" class="inline" role="search">
    <label>Search <input type="search" name="q" value="${search}" placeholder="id, reason or text" /></label>
    ${
      counts.length === 1
        ? undefined
        : html`<label>
            Partition
            <select name="partition">
              ${counts.map(
                (count, at) =>
                  html`<option value="${at}" ${at === partition ? html`selected` : undefined}>
                    ${at} (${countText(count)})
                  </option>`,
              )}
            </select>
          </label>`
    }
    <label>
      Per page
      <select name="per">
        ${perPageChoices.map(
          (choice) => html`<option ${choice === perPage ? html`selected` : undefined}>${choice}</option>`,
        )}
      </select>
    </label>
    <button>Show</button>
  </form>`;
}

function listForm(viewer: Viewer, query: DeadLetterQuery, letters: readonly DeadLetter[]): Html {
  const all = viewer.isReadOnly
    ? ""
    : html`<input type="checkbox" data-choose-all aria-label="Choose all on this page" />`;
  const rows =
    letters.length === 0
      ? emptyRow(5, query.search === "" ? "No dead letters." : "No match here.")
      : html`${letters.map((letter) => row(viewer, letter))}`;
  return html`<form method="post" action="${section}">
    ${formToken(viewer)}
    <input type="hidden" name="back" value="${listAddress(query)}" />
    ${table("Dead letters", ["Chosen", "Died (UTC)", "Record", "Reason", "Text"], rows)}
    ${
      viewer.isReadOnly || letters.length === 0
        ? undefined
        : html`<p class="actions">
            <label>${all} all on this page</label>
            <button name="act" value="requeue">Requeue chosen</button>
            <button name="act" value="discard" class="danger">Discard chosen…</button>
          </p>`
    }
  </form>`;
}

function row(viewer: Viewer, letter: DeadLetter): Html {
  const text = letter.record?.text ?? letter.unreadable ?? "";
  const preview = text.length > previewCharacters ? `${text.slice(0, previewCharacters)}…` : text;
  return html`<tr>
    <td>
      ${
        viewer.isReadOnly
          ? undefined
          : html`<input
              type="checkbox"
              name="id"
              value="${letter.id}"
              aria-label="Choose ${describe(letter)}"
            />`
      }
    </td>
    <td>${timeText(letter.diedAt)}</td>
    <td><a href="${letterAddress(letter)}">${describe(letter)}</a></td>
    <td class="text">${letter.reason}</td>
    <td class="text">${preview}</td>
  </tr>`;
}

export const letterAddress = ({ id }: Pick<DeadLetter, "id">) => `${section}/${encodeURIComponent(id)}`;

function describe({ chatNumber, number }: DeadLetter): string {
  if (number === undefined) return "no record";
  return chatNumber === undefined ? `chat ${number}` : `message ${number} of chat ${chatNumber}`;
}

function allForm(viewer: Viewer, { partition }: DeadLetterQuery, total: number): Html {
  const count = Math.min(total, mostAtOnce);
  return html`<form method="post" action="${section}" class="inline">
    ${formToken(viewer)}
    <input type="hidden" name="partition" value="${partition}" />
    <input type="hidden" name="oldest" value="${count}" />
    <button name="act" value="requeue">Requeue the oldest ${countText(count)}</button>
    <button name="act" value="discard" class="danger">Discard the oldest ${countText(count)}…</button>
  </form>`;
}

/** Asks whether so many are really to be discarded. */
export function confirmPage(viewer: Viewer, ids: readonly string[], back: string): string {
  const body = html`<h1>Discard ${manyText(ids.length, "dead letter")}?</h1>
    <p>
      Their texts are gone for good then; their numbers stay given. A refused change leaves the row as it was.
    </p>
    <form method="post" action="${section}" class="inline">
      ${formToken(viewer)} ${ids.map((id) => html`<input type="hidden" name="id" value="${id}" />`)}
      <input type="hidden" name="back" value="${back}" />
      <input type="hidden" name="confirmed" value="yes" />
      <button name="act" value="discard" class="danger">Discard ${countText(ids.length)}</button>
      <a href="${back}">Keep them</a>
    </form>`;
  return page(viewer, { title: "Discard", section, body });
}

/** One dead letter whole, and what to do with it. */
export function deadLetterPage(viewer: Viewer, letter: DeadLetter): string {
  const { id, token, reason, diedAt, record } = letter;
  const facts: [string, string][] = [
    ["Id", id],
    ["Application", token ?? "–"],
    ["Record", describe(letter)],
    ["Reason", reason],
    ["Died", `${timeText(diedAt)} UTC`],
    ["Created", record ? `${dateText(record.createdAtMs)} UTC` : "–"],
    ["Updated", record ? `${dateText(record.updatedAtMs)} UTC` : "–"],
    ["Operation id", record?.operationId ?? "–"],
  ];
  const body = html`<h1>Dead letter: ${describe(letter)}</h1>
    <dl class="facts">
      ${facts.map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd>${value}</dd>`,
      )}
    </dl>
    <h2>Text</h2>
    <pre>
${record?.text ?? letter.unreadable ?? "There is none: what it belonged to was deleted, or it has no title."}</pre>
    ${viewer.isReadOnly ? undefined : letterForms(viewer, letter)}
    <p><a href="${section}">All dead letters</a></p>`;
  return page(viewer, { title: describe(letter), section, body });
}

/** A record may hold a time that no date is. */
function dateText(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : timeText(date);
}

function letterForms(viewer: Viewer, letter: DeadLetter): Html {
  const mendable = isSetAside(letter.id) ? undefined : letter.record;
  return html`<form method="post" action="${section}" class="inline">
      ${formToken(viewer)}
      <input type="hidden" name="id" value="${letter.id}" />
      ${mendable && html`<button name="act" value="requeue">Requeue</button>`}
      <button name="act" value="discard" class="danger">Discard…</button>
    </form>
    ${
      mendable
        ? editForm(viewer, letter, revisionOf(mendable))
        : html`<p class="muted">
            Another record holds its number, or it is gone or unreadable: it can only be discarded.
          </p>`
    }`;
}

/** A browser drops the first line end of a textarea, so it is given one to drop. */
function editForm(viewer: Viewer, letter: DeadLetter, revision: string): Html {
  const isChat = letter.chatNumber === undefined;
  return html`<h2>Put another text in its place</h2>
    <form method="post" action="${letterAddress(letter)}">
      ${formToken(viewer)}
      <input type="hidden" name="seen" value="${revision}" />
      <label for="text">${isChat ? "Title; empty for none" : "Body"}</label>
      <textarea id="text" name="text" rows="8">${`\n${letter.record?.text ?? ""}`}</textarea>
      <p class="muted">
        Readers see it at once, under the same number. Line ends are saved as one character.
      </p>
      <button>Save and requeue</button>
    </form>`;
}
