import path from "node:path";

import type { BackupFile } from "../../jobs/backup-directory.ts";
import { bytesText, timeText } from "../format.ts";
import { html, type Html } from "../html.ts";
import { runForm } from "./jobs.ts";
import { emptyRow, formToken, page, pager, table, type Viewer } from "./layout.ts";

export const backupsPerPage = 50;
const section = "/ops/backups";

/** The backups that this process sees. */
export function backupsPage(
  viewer: Viewer,
  files: readonly BackupFile[],
  { pageNumber, notice }: { pageNumber: number; notice: string | undefined },
): string {
  const shown = files.slice((pageNumber - 1) * backupsPerPage, pageNumber * backupsPerPage);
  const hasMore = pageNumber * backupsPerPage < files.length;
  const rows =
    shown.length === 0
      ? emptyRow(4, "None in BACKUP_DIR of this host; the flushers may write theirs on another.")
      : html`${shown.map((file) => row(viewer, file))}`;
  const body = html`<h1>Backups</h1>
    <p>
      Snapshots of Redis with what MySQL does not have yet. <code>sluice restore</code> puts one back; it is a
      command, as nothing may run meanwhile. They cannot be downloaded here: they hold every pending text.
    </p>
    ${viewer.isReadOnly ? undefined : runForm(viewer, "backup", "Back up now")}
    ${table("Backups", ["Taken (UTC)", "", "Size", "File"], rows)}
    ${pager(
      pageNumber > 1 ? `${section}?page=${pageNumber - 1}` : undefined,
      hasMore ? `${section}?page=${pageNumber + 1}` : undefined,
      `${files.length} in all`,
    )}`;
  return page(viewer, { title: "Backups", section, body, notice });
}

function row(viewer: Viewer, file: BackupFile): Html {
  const name = path.basename(file.path);
  return html`<tr>
    <td>${timeText(new Date(file.takenAtMs))}</td>
    <td>
      ${
        viewer.isReadOnly
          ? undefined
          : html`<form method="post" action="${section}" class="inline">
              ${formToken(viewer)}
              <button name="verify" value="${name}">Verify</button>
            </form>`
      }
    </td>
    <td>${bytesText(file.bytes)}</td>
    <td>${name}</td>
  </tr>`;
}
