import { type HistoryPoint, type Resolution, resolutions } from "../../buffer/history.ts";
import { ageText, bytesText, countText, rateText, timeText } from "../format.ts";
import { html, type Html } from "../html.ts";
import { perSecond } from "../rates.ts";
import { emptyRow, page, table, type Viewer } from "./layout.ts";

const rangeNames: Readonly<Record<Resolution, string>> = {
  "30m": "30 minutes",
  "24h": "24 hours",
  "14d": "14 days",
};
const ranges = Object.keys(resolutions) as Resolution[];

/** The range an address asks for; the shortest for what is none. */
export function rangeOf(query: URLSearchParams): Resolution {
  return ranges.find((range) => range === query.get("range")) ?? "30m";
}

/** A point of a chart: rates since the point before, and levels. */
export interface ChartPoint {
  readonly atMs: number;
  readonly acceptedPerSecond: number;
  readonly flushedPerSecond: number;
  readonly pending: number;
  readonly pendingBytes: number;
  readonly oldestAgeMs: number;
  readonly deadLetters: number;
}

/** What the points of the history say, each with the one before it. */
export function chartPoints(points: readonly HistoryPoint[]): ChartPoint[] {
  return points.slice(1).flatMap((point, at) => {
    const before = points[at];
    if (!before || point.atMs <= before.atMs) return [];
    const { atMs, pending, pendingBytes, oldestAgeMs, deadLetters } = point;
    const rates = {
      acceptedPerSecond: perSecond(before, point, "accepted"),
      flushedPerSecond: perSecond(before, point, "flushed"),
    };
    return [{ atMs, ...rates, pending, pendingBytes, oldestAgeMs, deadLetters }];
  });
}

const heads = [
  "Time (UTC)",
  "Accepted/s",
  "Flushed/s",
  "Pending",
  "Bytes",
  "Oldest",
  "Dead letters",
] as const;
const rowsShown = 60;

/** Charts of a range, and its latest points as a table. */
export function historyPage(viewer: Viewer, range: Resolution, points: readonly HistoryPoint[]): string {
  const latest = chartPoints(points).slice(-rowsShown).reverse();
  const body = html`<h1>History</h1>
    <nav class="ranges" aria-label="Range">
      ${ranges.map(
        (one) =>
          html`<a href="/ops/history?range=${one}" ${one === range ? html`aria-current="true"` : undefined}
            >${rangeNames[one]}</a
          >`,
      )}
    </nav>
    <div class="charts" data-history="${range}">
      <figure data-chart="rates"><figcaption>Records a second: accepted, flushed</figcaption></figure>
      <figure data-chart="pending"><figcaption>Records pending</figcaption></figure>
      <figure data-chart="oldest"><figcaption>How long the oldest has waited, seconds</figcaption></figure>
      <figure data-chart="dead"><figcaption>Dead letters</figcaption></figure>
    </div>
    <p class="muted">Levels are the highest within a step; rates are averages over it.</p>
    <h2>The latest points</h2>
    ${table("History", heads, latest.length === 0 ? emptyRow(heads.length, "None yet.") : html`${latest.map(row)}`)}`;
  return page(viewer, { title: "History", section: "/ops/history", body, refreshSeconds: 60 });
}

function row(point: ChartPoint): Html {
  const cells = [
    timeText(new Date(point.atMs)),
    rateText(point.acceptedPerSecond),
    rateText(point.flushedPerSecond),
    countText(point.pending),
    bytesText(point.pendingBytes),
    ageText(point.oldestAgeMs / 1000),
    countText(point.deadLetters),
  ];
  return html`<tr>
    ${cells.map((cell) => html`<td>${cell}</td>`)}
  </tr>`;
}
