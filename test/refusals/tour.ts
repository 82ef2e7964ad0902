/**
 * A tour of refusals: under a steady load each of them begins, lasts and ends. What an operator is told must be right
 * soon after each beginning and each end, what clients are answered must be as described, and in the end all that was
 * accepted must be in MySQL, once and at its place.
 */
import { setTimeout as pause } from "node:timers/promises";

import type { DeadLetter } from "../../src/buffer/dead-letters.ts";
import { untilDrained } from "../support/kept.ts";
import { runCommand } from "../support/sluice-command.ts";
import type { Workspace } from "../support/workspace.ts";
import type { Answers } from "./answers.ts";
import { Ledger } from "./ledger.ts";
import { Load } from "./load.ts";
import { OperatorsView } from "./operators-view.ts";
import type { OddTexts, Refusal } from "./refusal.ts";
import { Stage } from "./stage.ts";

/** The longest that the verdict may take to be right. */
const promptSeconds = 10;
/** What is not well or drained by then is not going to be. */
const giveUpSeconds = 60;
const lookEveryMs = 400;
const warmUpMs = 3000;
/** What was under way as a refusal began may still be accepted, and is not what is judged. */
const fewShare = 0.25;
const mostShare = 0.95;

/** How one refusal went; seconds are absent where it never came to that. */
export interface Visit {
  readonly name: string;
  readonly answers: ReadonlyMap<string, number>;
  readonly slowestMs: number;
  /** From its beginning until an operator was told what is to be said of it. */
  readonly rightSeconds: number | undefined;
  /** From its end until an operator was told that all is well, and until all was flushed that had been accepted by then. */
  readonly wellSeconds: number | undefined;
  readonly drainedSeconds: number | undefined;
  readonly deadLetters: number;
  readonly problems: readonly string[];
}

export interface TourReport {
  readonly visits: readonly Visit[];
  readonly accepted: number;
  /** What the processes logged at error level. */
  readonly errors: ReadonlyMap<string, number>;
  readonly problems: readonly string[];
}

/** Goes through some refusals, each held for so long; tells of each when it is over. */
export async function tour(
  refusals: readonly Refusal[],
  holdMs: number,
  onVisit: (visit: Visit) => void,
): Promise<TourReport> {
  const stage = await Stage.start();
  try {
    const ledger = new Ledger();
    const load = new Load(stage.urls, ledger);
    await load.prepare();
    const loadEnd = new AbortController();
    const loading = load.run(loadEnd.signal);
    const guide = new Guide(stage, load, holdMs);
    await guide.warmUp();
    const visits: Visit[] = [];
    for (const refusal of refusals) {
      const visit = await guide.visit(refusal).catch((error: unknown) => failedVisit(refusal, error));
      visits.push(visit);
      onVisit(visit);
    }
    loadEnd.abort();
    await loading;
    await untilDrained(stage.workspace);
    if (refusals.some(({ cutsScripts }) => cutsScripts)) await repair(stage.workspace);
    const { accepted } = ledger;
    const found = await ledger.compare(stage.workspace);
    const ofVisits = visits.flatMap(({ name, problems }) => problems.map((one) => `${name}: ${one}`));
    return { visits, accepted, errors: stage.errors, problems: [...ofVisits, ...found] };
  } finally {
    await stage.close();
  }
}

function failedVisit({ name }: Refusal, error: unknown): Visit {
  const none = { rightSeconds: undefined, wellSeconds: undefined, drainedSeconds: undefined };
  return { name, answers: new Map(), slowestMs: 0, ...none, deadLetters: 0, problems: [String(error)] };
}

/** Puts right what rights that were taken away have cut in its middle, as operators are told to. */
async function repair(workspace: Workspace): Promise<void> {
  await runCommand(["check", "--repair"], workspace.env);
  await untilDrained(workspace);
}

/** Leads through one refusal after the other. */
class Guide {
  readonly #stage: Stage;
  readonly #load: Load;
  readonly #holdMs: number;
  readonly #view: OperatorsView;

  constructor(stage: Stage, load: Load, holdMs: number) {
    this.#stage = stage;
    this.#load = load;
    this.#holdMs = holdMs;
    this.#view = new OperatorsView(stage.urls);
  }

  /** Resolves when all has been well for a while: processes are slow that have only begun. */
  async warmUp(): Promise<void> {
    const beganMs = performance.now();
    for (;;) {
      const answers = this.#load.begin();
      await pause(warmUpMs);
      const { wellSeconds } = await this.#recover();
      if (wellSeconds !== undefined && answers.shareAccepted >= mostShare) return;
      if (secondsSince(beganMs) > giveUpSeconds)
        throw new Error(
          `never well before the first refusal: ${describeCounts(answers)}, ${this.#view.words}`,
        );
    }
  }

  async visit(refusal: Refusal): Promise<Visit> {
    const { verdict } = refusal;
    const end = await refusal.begin(this.#stage.ground);
    const answers = this.#load.begin(refusal.oddTexts);
    const { rightSeconds, held } = await this.#hold(refusal).finally(async () => {
      this.#load.begin();
      await end();
    });
    const { wellSeconds, drainedSeconds } = await this.#recover();
    const words = wellSeconds === undefined ? [`never well again: ${this.#view.words}`] : [];
    const letters = await this.#tryDeadLettersAgain(refusal);
    return {
      name: refusal.name,
      answers: answers.counts,
      slowestMs: answers.slowestMs,
      rightSeconds,
      wellSeconds,
      drainedSeconds,
      deadLetters: letters.count,
      problems: [
        ...problemsOf(refusal, answers),
        ...(verdict && !isPrompt(rightSeconds) ? [`the verdict was: ${held}`] : []),
        ...words,
        ...(wellSeconds !== undefined && !isPrompt(wellSeconds) ? ["was well again too late"] : []),
        ...(drainedSeconds === undefined ? ["was not drained"] : []),
        ...letters.problems,
      ],
    };
  }

  /** Holds it, and for as long as the verdict may take where that is not right yet. */
  async #hold({ verdict }: Refusal): Promise<{ rightSeconds: number | undefined; held: string }> {
    const beganMs = performance.now();
    let rightSeconds: number | undefined;
    let held = "";
    const isOver = () => {
      const seconds = secondsSince(beganMs);
      const isKnown = verdict === undefined || rightSeconds !== undefined || seconds > promptSeconds;
      return isKnown && seconds * 1000 >= this.#holdMs;
    };
    while (!isOver()) {
      await this.#view.look();
      if (verdict && this.#view.says(verdict)) rightSeconds ??= secondsSince(beganMs);
      if (rightSeconds === undefined) held = this.#view.words;
      await pause(lookEveryMs);
    }
    return { rightSeconds, held };
  }

  async #recover(): Promise<Pick<Visit, "wellSeconds" | "drainedSeconds">> {
    const endedMs = performance.now();
    let wellSeconds: number | undefined;
    let drainedSeconds: number | undefined;
    while (secondsSince(endedMs) < giveUpSeconds) {
      await this.#view.look();
      if (this.#view.isWell) wellSeconds ??= secondsSince(endedMs);
      if (this.#view.isDrained(endedMs)) drainedSeconds ??= secondsSince(endedMs);
      if (wellSeconds !== undefined && drainedSeconds !== undefined) break;
      await pause(lookEveryMs);
    }
    return { wellSeconds, drainedSeconds };
  }

  /** What was refused on purpose has died, and nothing else; tried again it is taken. */
  async #tryDeadLettersAgain({ oddTexts }: Refusal): Promise<{ count: number; problems: string[] }> {
    const { deadLetters } = this.#stage.buffer;
    const problems: string[] = [];
    let count = 0;
    for (let letters = await deadLetters.list(0, 0, 100); letters.length > 0;) {
      const innocent = letters.filter((letter) => !isRefusedOnPurpose(letter, oddTexts));
      problems.push(...innocent.map(({ id, reason }) => `dead letter ${id}: ${reason}`));
      for (const { id } of letters) count += Number(await deadLetters.requeue(id));
      letters = await deadLetters.list(0, 0, 100);
    }
    if (oddTexts && count === 0) problems.push("nothing became a dead letter");
    return { count, problems };
  }
}

function isRefusedOnPurpose({ reason, record }: DeadLetter, oddTexts: OddTexts | undefined): boolean {
  if (!oddTexts) return false;
  const isBeneath = oddTexts.of === "chats" && reason === "its chat was refused";
  return isBeneath || record?.text?.startsWith(oddTexts.head) === true;
}

function describeCounts({ counts }: Answers): string {
  return [...counts].map(([what, count]) => `${count} × ${what}`).join(", ");
}

function problemsOf({ posts }: Refusal, answers: Answers): string[] {
  const share = answers.shareAccepted;
  const problems = [...answers.problems].map(([what, count]) => `${count} times ${what}`);
  if (posts === "go on" && share < mostShare)
    problems.push(`only ${percent(share)} of the POSTs were accepted`);
  if (posts === "are refused" && share > fewShare)
    problems.push(`${percent(share)} of the POSTs were accepted`);
  return problems;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

function isPrompt(seconds: number | undefined): boolean {
  return seconds !== undefined && seconds <= promptSeconds;
}

function secondsSince(momentMs: number): number {
  return (performance.now() - momentMs) / 1000;
}
