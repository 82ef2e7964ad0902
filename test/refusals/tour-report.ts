import type { TourReport, Visit } from "./tour.ts";

const mostProblems = 40;

/** A line of the table. */
export function describeVisit(visit: Visit): string {
  const answers = [...visit.answers].map(([what, count]) => `${count} × ${what}`).join(", ");
  return [
    visit.name.padEnd(66),
    seconds(visit.rightSeconds),
    seconds(visit.wellSeconds),
    seconds(visit.drainedSeconds),
    `${Math.round(visit.slowestMs)} ms`.padStart(9),
    `  ${answers}${visit.deadLetters > 0 ? `, ${visit.deadLetters} dead letters` : ""}`,
    ...visit.problems.map((problem) => `\n    PROBLEM ${problem}`),
  ].join("");
}

/** What stands above the table. */
export const tableHead = [
  "refusal".padEnd(66),
  ...["right", "well", "drained"].map((name) => name.padStart(9)),
  "slowest".padStart(9),
  "  answers to POSTs of chats and messages meanwhile",
].join("");

/** What stands below it. */
export function describeEnd({ visits, accepted, errors, problems }: TourReport): string {
  return [
    `${visits.length} refusals, ${accepted} records accepted, ${problems.length} problems`,
    ...[...errors].map(([msg, count]) => `${String(count).padStart(7)}  error logged: ${msg}`),
    ...problems.slice(0, mostProblems).map((problem) => `PROBLEM ${problem}`),
  ].join("\n");
}

function seconds(value: number | undefined): string {
  return (value === undefined ? "-" : `${value.toFixed(1)} s`).padStart(9);
}
