import { type JobName, jobNames, type JobRun, type JobStatus } from "../../buffer/job-runs.ts";
import { ageText, timeText } from "../format.ts";
import { html, type Html } from "../html.ts";
import { emptyRow, formToken, page, table, type Viewer } from "./layout.ts";

const section = "/ops/jobs";

/** A job, when it is due and what it did. */
export interface JobView {
  readonly name: JobName;
  /** Nothing where it runs only when a person says so. */
  readonly cron: string | undefined;
  readonly nextMs: number | undefined;
  readonly isAskedFor: boolean;
  readonly status: JobStatus;
}

const heads = [
  "Job",
  "",
  "State",
  "Last run (UTC)",
  "Took",
  "What came of it",
  "Next (UTC)",
  "Schedule",
] as const;
const runHeads = ["Started (UTC)", "Job", "By", "Took", "Outcome", "Detail", "Where"] as const;
const runsShown = 30;

/** Scheduled work: what is due when, what became of it, and a way to run it now. */
export function jobsPage(viewer: Viewer, jobs: readonly JobView[], notice: string | undefined): string {
  const runs = jobs
    .flatMap(({ name, status }) => status.runs.map((run) => ({ name, run })))
    .sort((one, other) => other.run.startedAtMs - one.run.startedAtMs)
    .slice(0, runsShown);
  const body = html`<h1>Jobs</h1>
    <p>
      Each flusher has the schedule, and one of them runs each tick. A job that fails is tried again at its
      next.
    </p>
    ${table("Jobs", heads, html`${jobs.map((job) => row(viewer, job))}`)}
    <h2>Last runs</h2>
    ${table("Last runs", runHeads, runs.length === 0 ? emptyRow(runHeads.length, "None yet.") : html`${runs.map(runRow)}`)}`;
  return page(viewer, { title: "Jobs", section, body, notice, refreshSeconds: 30 });
}

function row(viewer: Viewer, { name, cron, nextMs, isAskedFor, status }: JobView): Html {
  const [last] = status.runs;
  const state = status.isRunning ? "running" : isAskedFor ? "asked for" : "waits";
  return html`<tr>
    <th scope="row">${name}</th>
    <td>${viewer.isReadOnly ? undefined : runForm(viewer, name)}</td>
    <td>${state}</td>
    <td>${last ? timeText(new Date(last.startedAtMs)) : "never"}</td>
    <td>${last ? ageText(last.durationMs / 1000) : "–"}</td>
    <td class="text">${last && outcome(last)} ${last?.detail}</td>
    <td>${nextMs === undefined ? "–" : timeText(new Date(nextMs))}</td>
    <td>${cron ?? (name === "reindex" ? "by hand" : "off")}</td>
  </tr>`;
}

/** Asks for one run. */
export function runForm(viewer: Viewer, job: JobName, label = "Run now"): Html {
  return html`<form method="post" action="${section}" class="inline">
    ${formToken(viewer)}
    <button name="job" value="${job}">${label}</button>
  </form>`;
}

const outcome = ({ outcome: word }: JobRun) =>
  word === "failed" ? html`<strong data-value="down">failed</strong>` : html`${word}`;

function runRow({ name, run }: { name: JobName; run: JobRun }): Html {
  return html`<tr>
    <td>${timeText(new Date(run.startedAtMs))}</td>
    <td>${name}</td>
    <td>${run.trigger}</td>
    <td>${ageText(run.durationMs / 1000)}</td>
    <td>${outcome(run)}</td>
    <td class="text">${run.detail}</td>
    <td>${run.owner}</td>
  </tr>`;
}

/** Whether a text names a job. */
export const isJob = (text: string | null): text is JobName => jobNames.some((name) => name === text);
