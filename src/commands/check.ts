import type { Buffer } from "../buffer/buffer.ts";
import type { Finding, Looked } from "../buffer/invariants/finding.ts";
import { describeFinding, inOrder } from "../buffer/invariants/sentences.ts";
import type { Config } from "../config.ts";
import { checkInvariants, type Report } from "../invariants.ts";
import { countText, manyText } from "../ops/format.ts";
import { openStore, type Store } from "../store/store.ts";
import { OperatorError } from "./operator-error.ts";
import { openConfiguredBuffer } from "./parts.ts";
import { progressOf } from "./progress.ts";

export interface CheckOptions {
  readonly json: boolean;
  readonly repair: boolean;
}

/** Between two looks: more than anything takes that is done in several steps. */
const settleMs = 2000;
/** Findings of one kind that are shown one by one. */
const shownOfAKind = 20;

/**
 * Looks whether the buffer is in order, prints what is not and what to do, and puts right what needs no guess if that
 * is wanted. Nobody need stop.
 *
 * @throws {OperatorError} where something is, or is still, out of order
 */
export async function runCheck(config: Config, { json, repair }: CheckOptions): Promise<void> {
  const buffer = await openConfiguredBuffer(config, "draining");
  const store = openStore(config.database, "writing");
  try {
    const found = await look(buffer, store);
    const mended = repair ? await buffer.mending.mend(found.findings) : 0;
    const report = repair && found.findings.length > 0 ? await look(buffer, store) : found;
    console.log(json ? asJson(buffer, report, mended) : asText(report, mended));
    if (report.findings.length > 0) throw new OperatorError(verdict(buffer, report.findings));
  } finally {
    buffer.close();
    await store.close();
  }
}

async function look(buffer: Buffer, store: Store): Promise<Report> {
  const progress = progressOf(process.stderr, {
    total: await buffer.repartitioning.keyCount(),
    what: "keys",
  });
  const report = await checkInvariants(buffer, store, { settleMs, onKeys: progress.advance });
  progress.done();
  return { ...report, findings: inOrder(report.findings) };
}

function asJson(buffer: Buffer, { findings, looked }: Report, mended: number): string {
  const told = findings.map((finding) => {
    const { kind, partition, subject } = finding;
    return {
      kind,
      partition,
      subject,
      ...describeFinding(finding),
      canRepair: buffer.mending.canMend(finding),
    };
  });
  return JSON.stringify({ looked, mended, findings: told }, undefined, 2);
}

function asText({ findings, looked }: Report, mended: number): string {
  return [
    describeLooked(looked),
    ...(looked.inMotion > 0
      ? [`${countText(looked.inMotion)} parents changed all the while: their counters were not compared.`]
      : []),
    ...(looked.restless > 0
      ? [`${countText(looked.restless)} partitions were at work: their totals were not compared.`]
      : []),
    ...(mended > 0 ? [`Put right: ${countText(mended)}.`] : []),
    ...(findings.length === 0 ? ["All is in order."] : byKind(findings).flatMap(describeKind)),
  ].join("\n");
}

function describeLooked({ parents, records, references, deadLetters }: Looked): string {
  const counts = [
    `${countText(parents)} applications and chats`,
    `${countText(records)} records`,
    `${countText(references)} references`,
    `${countText(deadLetters)} dead letters`,
  ];
  return `Looked at ${counts.join(", ")}.`;
}

function byKind(findings: readonly Finding[]): Finding[][] {
  const kinds = new Map<string, Finding[]>();
  for (const finding of findings) kinds.set(finding.kind, [...(kinds.get(finding.kind) ?? []), finding]);
  return [...kinds.values()];
}

function describeKind(findings: readonly Finding[]): string[] {
  const lines = findings.slice(0, shownOfAKind).map((finding) => {
    const { what, seen } = describeFinding(finding);
    return `  partition ${finding.partition}: ${what}${seen === "" ? "" : ` (${seen})`}`;
  });
  const [first] = findings;
  const hidden = findings.length - lines.length;
  return [
    "",
    `${first?.kind ?? ""}: ${countText(findings.length)}`,
    ...lines,
    ...(hidden > 0 ? [`  and ${countText(hidden)} more; --json shows all`] : []),
    ...(first ? [`  -> ${describeFinding(first).remedy}`] : []),
  ];
}

function verdict(buffer: Buffer, findings: readonly Finding[]): string {
  const mendable = findings.filter((finding) => buffer.mending.canMend(finding)).length;
  const all = manyText(findings.length, "finding");
  if (mendable === 0) return `${all}, none of which --repair can put right.`;
  return `${all}; --repair can put right ${countText(mendable)} of them.`;
}
