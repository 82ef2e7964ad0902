import type { Spread } from "./statistics.ts";

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A table in Markdown, its columns aligned; the title is its first head. */
export function markdown({ title, head, rows }: Table): string {
  const lines = [[title, ...head], ...rows];
  const widths = lines[0]?.map((_, column) => Math.max(3, ...lines.map((line) => line[column]?.length ?? 0)));
  const draw = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths?.[column] ?? 0)).join(" | ")} |`;
  const rule = draw((widths ?? []).map((width) => "-".repeat(width)));
  return lines.map(draw).toSpliced(1, 0, rule).join("\n");
}

/** A number as people read it: three digits that count, thousands with a comma. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const decimals = size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** A median and, in brackets, the least and the greatest. */
export function spreadText({ median, min, max }: Spread, unit = ""): string {
  return `${figure(median)}${unit} (${figure(min)}–${figure(max)})`;
}
