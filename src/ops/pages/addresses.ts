import type { BlockedAddress } from "../../buffer/blocked-addresses.ts";
import { manyText, timeText } from "../format.ts";
import { html, type Html } from "../html.ts";
import { emptyRow, formToken, page, pager, table, type Viewer } from "./layout.ts";

export const addressesPerPage = 50;

/** Which addresses the rate limit refused in the last hour. */
export function addressesPage(
  viewer: Viewer,
  { addresses, total }: { addresses: readonly BlockedAddress[]; total: number },
  { pageNumber, notice }: { pageNumber: number; notice: string | undefined },
): string {
  const hasMore = pageNumber * addressesPerPage < total;
  const rows =
    addresses.length === 0
      ? emptyRow(3, "None within the last hour.")
      : html`${addresses.map((one) => row(viewer, one))}`;
  const body = html`<h1>Addresses</h1>
    <p>
      Client addresses that made more than RATE_LIMIT_PER_MINUTE requests within a minute, and were answered
      429. A block ends by itself within a minute.
    </p>
    ${table("Addresses", ["Address", "Blocked until (UTC)", ""], rows)}
    ${pager(
      pageNumber > 1 ? `/ops/addresses?page=${pageNumber - 1}` : undefined,
      hasMore ? `/ops/addresses?page=${pageNumber + 1}` : undefined,
      manyText(total, "address", "addresses"),
    )}`;
  return page(viewer, { title: "Addresses", section: "/ops/addresses", body, notice });
}

function row(viewer: Viewer, { address, until }: BlockedAddress): Html {
  const isBlocked = until.getTime() > Date.now();
  return html`<tr>
    <td>${address}</td>
    <td>${timeText(until)} ${isBlocked ? html`<strong>blocked</strong>` : html`<small>over</small>`}</td>
    <td>
      ${
        viewer.isReadOnly || !isBlocked
          ? undefined
          : html`<form method="post" action="/ops/addresses" class="inline">
              ${formToken(viewer)}
              <input type="hidden" name="address" value="${address}" />
              <button>Unblock</button>
            </form>`
      }
    </td>
  </tr>`;
}
