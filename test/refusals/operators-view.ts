import type { Finding, Verdict } from "../../src/ops/findings.ts";
import type { Told } from "./refusal.ts";

/** What the dashboard and `sluice status` say at one moment. */
interface Seen {
  readonly verdict: Verdict;
  readonly findings: readonly Finding[];
  /** Absent while Redis is away. */
  readonly oldestAgeSeconds?: number;
  readonly pending?: { readonly chats: number; readonly messages: number };
}

/** Dead letters wait for a person: what was refused on purpose is no trouble any more when that is over. */
const deadLetters = "dead letter";

/** Looks at what each API process tells an operator. */
export class OperatorsView {
  readonly #urls: readonly string[];
  #seen: readonly Seen[] = [];

  constructor(urls: readonly string[]) {
    this.#urls = urls;
  }

  /** Resolves when all were asked. @throws where one does not answer as it must */
  async look(): Promise<void> {
    this.#seen = await Promise.all(this.#urls.map(ask));
  }

  /** Whether all of them say it. */
  says({ severity, says }: Told): boolean {
    return this.#seen.every(({ findings }) =>
      findings.some((finding) => finding.severity === severity && says.test(finding.what)),
    );
  }

  /** Whether all of them say that all is well, but for dead letters. */
  get isWell(): boolean {
    return this.#seen.every(({ findings }) => findings.every(({ what }) => what.includes(deadLetters)));
  }

  /** Whether nothing waits that was accepted longer ago than so. */
  isDrained(sinceMs: number): boolean {
    return this.#seen.every(
      ({ oldestAgeSeconds = Infinity }) => oldestAgeSeconds * 1000 < performance.now() - sinceMs,
    );
  }

  /** What is said now, for a report. */
  get words(): string {
    const said = this.#seen.flatMap(({ findings }) =>
      findings.map(({ severity, what }) => `${severity}: ${what}`),
    );
    return [...new Set(said)].join(" / ") || "all is well";
  }
}

async function ask(url: string): Promise<Seen> {
  const answer = await fetch(new URL("/ops/status", url));
  if (answer.status !== 200) throw new Error(`/ops/status answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as Seen;
}
