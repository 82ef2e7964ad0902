import { html, type Html } from "../html.ts";
import { type LiveView, partitionFields } from "../live-view.ts";
import type { Overview } from "../overview.ts";
import type { PartitionStatus } from "../status.ts";
import { field, verdictBox } from "./overview.ts";
import { formToken, page, pager, table, type Viewer } from "./layout.ts";

const perPage = 64;

const heads = [
  "Partition",
  "State",
  "",
  "Messages",
  "Chats",
  "Bytes",
  "Oldest",
  "Dead letters",
  "Drained by",
  "Flushes",
] as const;

/** Each part of the buffer, and what can be done with it. */
export function partitionsPage(
  viewer: Viewer,
  { numbers }: Overview,
  view: LiveView,
  { pageNumber, notice }: { pageNumber: number; notice: string | undefined },
): string {
  const all = numbers?.perPartition ?? [];
  const pages = Math.max(1, Math.ceil(all.length / perPage));
  const current = Math.min(pageNumber, pages);
  const shown = all.slice((current - 1) * perPage, current * perPage);
  const body = html`<h1>Partitions</h1>
    ${verdictBox(view)}
    <p>
      A flusher drains each partition by itself. While one is paused, records are accepted and wait in Redis
      until its buffer is full. A batch in hand is finished first.
    </p>
    ${viewer.isReadOnly ? undefined : flushAllForm(viewer)}
    ${table("Partitions", heads, html`${shown.map((one) => partitionRow(viewer, one))}`)}
    ${
      pages === 1
        ? undefined
        : pager(
            current > 1 ? `/ops/partitions?page=${current - 1}` : undefined,
            current < pages ? `/ops/partitions?page=${current + 1}` : undefined,
            `Page ${current} of ${pages}`,
          )
    }`;
  return page(viewer, { title: "Partitions", section: "/ops/partitions", body, notice });
}

function flushAllForm(viewer: Viewer): Html {
  return html`<form method="post" action="/ops/partitions" class="inline">
    ${formToken(viewer)}
    <button name="act" value="flush-all">Flush all now</button>
  </form>`;
}

function partitionRow(viewer: Viewer, one: PartitionStatus): Html {
  const view = { fields: partitionFields(one) } as LiveView;
  const cell = (name: string) => field(view, `p${one.partition}.${name}`);
  return html`<tr class="${one.paused ? "paused" : "flushing"}">
    <th scope="row">${one.partition}</th>
    <td>${cell("state")} ${one.paused ? html`<small>by ${one.paused.by}</small>` : undefined}</td>
    <td>${viewer.isReadOnly ? undefined : actions(viewer, one)}</td>
    <td>${cell("messages")}</td>
    <td>${cell("chats")}</td>
    <td>${cell("bytes")}</td>
    <td>${cell("oldest")}</td>
    <td>${cell("dead")}</td>
    <td>${cell("drainedBy")}</td>
    <td>${cell("sequence")}</td>
  </tr>`;
}

function actions(viewer: Viewer, { partition, paused }: PartitionStatus): Html {
  const other = paused
    ? html`<button name="act" value="resume">Resume</button>`
    : html`<button name="act" value="pause">Pause</button>`;
  return html`<form method="post" action="/ops/partitions" class="inline">
    ${formToken(viewer)}
    <input type="hidden" name="partition" value="${partition}" />
    ${paused ? undefined : html`<button name="act" value="flush">Flush now</button>`} ${other}
  </form>`;
}
