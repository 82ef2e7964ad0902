import { fileURLToPath } from "node:url";

import { Command } from "commander";

import { BufferUnavailableError } from "./buffer/connections.ts";
import { SnapshotError } from "./buffer/rdb/cursor.ts";
import { runAll } from "./commands/all.ts";
import { runApi } from "./commands/api.ts";
import { type CheckOptions, runCheck } from "./commands/check.ts";
import { discardDeadLetter, listDeadLetters, requeueDeadLetter } from "./commands/dead-letters.ts";
import { runFlush } from "./commands/flush.ts";
import { runFlusher } from "./commands/flusher.ts";
import { runJobByHand } from "./commands/jobs.ts";
import { runMigrate } from "./commands/migrate.ts";
import { OperatorError } from "./commands/operator-error.ts";
import { runRepartition } from "./commands/repartition.ts";
import { runReindex, runSearchCheck } from "./commands/search.ts";
import { type RestoreOptions, runRestore } from "./commands/restore.ts";
import { runStatus } from "./commands/status.ts";
import { ConfigError, loadConfig } from "./config.ts";
import { RestoreRefusedError } from "./jobs/restore.ts";
import { PartitionsError } from "./partitioning.ts";

const program = new Command("sluice").description(
  "A write-behind chat API: numbered and kept in Redis at once, flushed to MySQL in multi-row INSERTs.",
);

program
  .command("all")
  .description("run the API and a flusher, each as a process of its own")
  .action(() => {
    runAll(loadConfig(), fileURLToPath(import.meta.url));
  });

program
  .command("api")
  .description("run the HTTP API")
  .action(() => runApi(loadConfig(), fileURLToPath(import.meta.url)));

program
  .command("flusher")
  .description("run a flusher: drains Redis into MySQL")
  .action(() => runFlusher(loadConfig()));

program
  .command("migrate")
  .description("bring the database to the schema of this program")
  .action(() => runMigrate(loadConfig()));

program
  .command("flush")
  .description("flush what is pending now, and wait until it is in MySQL")
  .action(() => runFlush(loadConfig()));

program
  .command("counts")
  .description("recompute chats_count and messages_count where records were written or deleted")
  .option("--all", "of every application and chat", false)
  .action((options: { all: boolean }) => runJobByHand(loadConfig(), "counts", options));

program
  .command("backup")
  .description("write a snapshot of Redis to BACKUP_DIR, and verify it")
  .action(() => runJobByHand(loadConfig(), "backup"));

program
  .command("cleanup")
  .description("remove backups older than BACKUP_KEEP_HOURS; the latest good ones stay")
  .action(() => runJobByHand(loadConfig(), "cleanup"));

program
  .command("restore")
  .description("put a backup back into Redis; stop the API and the flushers before")
  .argument("[file]", "the backup")
  .option("--latest", "the latest backup in BACKUP_DIR that is whole", false)
  .option("--verify", "only read it, and say whether it is whole", false)
  .option("--force", "also while processes run, or where Redis holds what is not flushed", false)
  .action((file: string | undefined, options: RestoreOptions) => runRestore(loadConfig(), file, options));

program
  .command("repartition")
  .description("divide the data into another number of partitions; stop the API and the flushers before")
  .argument("<n>", "partitions from then on")
  .action((n: string) => runRepartition(loadConfig(), n));

program
  .command("status")
  .description("show what is pending and what was flushed")
  .option("--json", "as JSON", false)
  .action((options: { json: boolean }) => runStatus(loadConfig(), options));

program
  .command("check")
  .description("look whether what Redis keeps is in order; exits with 1 where something is not")
  .option("--json", "as JSON, every finding", false)
  .option("--repair", "put right what needs no guess", false)
  .action((options: CheckOptions) => runCheck(loadConfig(), options));

program
  .command("reindex")
  .description(
    "build the search index anew from MySQL, while writes go on; run again after a kill, it goes on",
  )
  .action(() => runReindex(loadConfig()));

program
  .command("search")
  .description("look after the search index")
  .command("check")
  .description("compare the search index with MySQL and mend what differs; exits with 1 where something did")
  .option("--dry-run", "mend nothing", false)
  .action((options: { dryRun: boolean }) => runSearchCheck(loadConfig(), options));

const deadLetters = program
  .command("dead-letters")
  .description("records that MySQL refused: list them, try one again, throw one away");

deadLetters
  .command("list", { isDefault: true })
  .description("a line each, the oldest first")
  .option("--json", "as JSON, a line each, with their texts", false)
  .action((options: { json: boolean }) => listDeadLetters(loadConfig(), options));

// An id begins with its application's token, and that may begin with a dash.
deadLetters
  .command("requeue")
  .description("try one again with the next flush")
  .argument("<id>", "as `list` shows it")
  .allowUnknownOption()
  .action((id: string) => requeueDeadLetter(loadConfig(), id));

deadLetters
  .command("discard")
  .description("throw one away for good; its number stays given")
  .argument("<id>", "as `list` shows it")
  .allowUnknownOption()
  .action((id: string) => discardDeadLetter(loadConfig(), id));

try {
  await program.parseAsync();
} catch (error) {
  console.error(explain(error));
  process.exit(1);
}

function isForOperators(error: Error): boolean {
  const kinds = [
    ConfigError,
    OperatorError,
    PartitionsError,
    BufferUnavailableError,
    RestoreRefusedError,
    SnapshotError,
  ];
  return kinds.some((kind) => error instanceof kind);
}

/** What a person at the terminal needs to know; the whole error only where it is a defect of ours. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (isForOperators(error)) return error.message;
  const { code, address, port } = error as { code?: string; address?: string; port?: number };
  if (code === "EADDRINUSE") {
    return `${address ?? "the address"}:${port ?? ""} is in use: stop what listens there, or set PORT to another.`;
  }
  return code === undefined ? (error.stack ?? error.message) : `${error.message} (${code})`;
}
