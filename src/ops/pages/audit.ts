import type { AuditEntry } from "../../buffer/audit-trail.ts";
import { manyText, timeText } from "../format.ts";
import { html } from "../html.ts";
import { emptyRow, page, pager, table, type Viewer } from "./layout.ts";

export const auditPerPage = 50;

/** Who did what, the newest first. */
export function auditPage(
  viewer: Viewer,
  { entries, total }: { entries: readonly AuditEntry[]; total: number },
  pageNumber: number,
): string {
  const hasMore = pageNumber * auditPerPage < total;
  const rows =
    entries.length === 0
      ? emptyRow(5, "Nothing was done yet.")
      : html`${entries.map(
          ({ at, who, from, act, outcome }) =>
            html`<tr>
              <td>${timeText(at)}</td>
              <td>${who}</td>
              <td>${from}</td>
              <td class="text">${act}</td>
              <td>${outcome}</td>
            </tr>`,
        )}`;
  const body = html`<h1>Audit</h1>
    <p>What was done here, the last thousand acts. The log has them too.</p>
    ${table("Audit", ["Time (UTC)", "Who", "From", "Act", "Outcome"], rows)}
    ${pager(
      pageNumber > 1 ? `/ops/audit?page=${pageNumber - 1}` : undefined,
      hasMore ? `/ops/audit?page=${pageNumber + 1}` : undefined,
      manyText(total, "entry", "entries"),
    )}`;
  return page(viewer, { title: "Audit", section: "/ops/audit", body });
}
