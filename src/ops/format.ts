/** Numbers as people read them; the same on the page, in its live updates and in the terminal. */

const grouped = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

/** 1234567 as "1,234,567". */
export const countText = (count: number) => grouped.format(count);

/** "1 dead letter", "2 dead letters". */
export const manyText = (count: number, noun: string, nouns = `${noun}s`) =>
  `${countText(count)} ${count === 1 ? noun : nouns}`;

/** A rate a second; "–" where nothing is known yet. */
export const rateText = (perSecond: number | null) => (perSecond === null ? "–" : short.format(perSecond));

const byteUnits = ["B", "kB", "MB", "GB", "TB"] as const;

/** 1234567 as "1.2 MB". */
export function bytesText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < byteUnits.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${short.format(value)} ${byteUnits[unit] ?? ""}`;
}

/** 95 as "1 min 35 s". */
export function ageText(seconds: number): string {
  if (seconds < 60) return `${short.format(seconds)} s`;
  const whole = Math.floor(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3600)} h`;
}

/** A time in UTC to the second: a page may be read in another zone than the machine's. */
export const timeText = (time: Date) => time.toISOString().replace("T", " ").slice(0, 19);
