import type { Router } from "@koa/router";

import type { Buffer } from "../../buffer/buffer.ts";
import type { Operator } from "../access/operator.ts";
import type { OpsContext, OpsState } from "../context.ts";
import { type DeadLetterQuery, readDeadLetters } from "../dead-letter-pages.ts";
import { noticeOf, withNotice } from "../notices.ts";
import type { OpsServices } from "../services.ts";
import {
  confirmPage,
  deadLetterPage,
  deadLettersPage,
  letterAddress,
  mostAtOnce,
} from "../pages/dead-letters.ts";
import { shortTextOf, wholeNumber } from "../parameters.ts";
import { Refusal } from "../refusal.ts";
import { ownAddress } from "./access.ts";
import { answerPage, guarded, guardedForm, queryOf, seeOther, viewerOf } from "./guarded.ts";

const section = "/ops/dead-letters";
/** A thousand ids of some sixty characters, each encoded. */
const listMaxBytes = 512 * 1024;
/** A text grows threefold in a form. */
const formGrowth = 3;

/** Adds the dead letters: list, search, look at one, edit, requeue, discard. */
export function routeDeadLetters(router: Router<OpsState>, services: OpsServices): void {
  const { buffer, actions, messageMaxBytes } = services;

  router.get(
    section,
    guarded(services, async (ctx) => {
      const parameters = queryOf(ctx);
      const query = listQuery(parameters, buffer.partitions);
      const [found, counts] = await Promise.all([readDeadLetters(buffer, query), countAll(buffer)]);
      const parts = { query, found, counts, notice: noticeOf(parameters) };
      answerPage(ctx, deadLettersPage(viewerOf(ctx, services), parts));
    }),
  );

  router.post(
    section,
    guardedForm(services, listMaxBytes, async (ctx, form, operator) => {
      await actOnMany(ctx, services, form, operator);
    }),
  );

  router.get(
    `${section}/:id`,
    guarded(services, async (ctx) => {
      const letter = await buffer.deadLetters.find(ctx.params["id"] ?? "");
      if (!letter) throw new Refusal(404, "There is no such dead letter.", "It was requeued or discarded.");
      answerPage(ctx, deadLetterPage(viewerOf(ctx, services), letter));
    }),
  );

  router.post(
    `${section}/:id`,
    guardedForm(services, formGrowth * messageMaxBytes + 8192, async (ctx, form, operator) => {
      const id = ctx.params["id"] ?? "";
      await actions.replace(operator, id, form.get("seen") ?? "", form.get("text") ?? "");
      seeOther(ctx, withNotice(section, "replaced", 1));
    }),
  );
}

function listQuery(parameters: URLSearchParams, partitions: number): DeadLetterQuery {
  return {
    partition: wholeNumber(parameters, "partition", 0, 0, partitions - 1),
    from: wholeNumber(parameters, "from", 0, 0),
    perPage: wholeNumber(parameters, "per", 25, 1, 100),
    search: shortTextOf(parameters, "q"),
  };
}

async function countAll(buffer: Buffer): Promise<number[]> {
  const partitions = Array.from({ length: buffer.partitions }, (_, partition) => partition);
  return Promise.all(partitions.map((partition) => buffer.deadLetters.count(partition)));
}

/** What is chosen, or the oldest of a partition: by id, so that what comes meanwhile is left alone. */
async function chosenIds(buffer: Buffer, form: URLSearchParams): Promise<string[]> {
  const ids = form.getAll("id").slice(0, mostAtOnce);
  const oldest = wholeNumber(form, "oldest", 0, 0, mostAtOnce);
  if (ids.length > 0 || oldest === 0) return ids;
  const partition = wholeNumber(form, "partition", 0, 0, buffer.partitions - 1);
  return buffer.deadLetters.oldestIds(partition, oldest);
}

async function actOnMany(
  ctx: OpsContext,
  services: OpsServices,
  form: URLSearchParams,
  operator: Operator,
): Promise<void> {
  const { buffer, actions } = services;
  const ids = await chosenIds(buffer, form);
  const known = await Promise.all(ids.map((id) => buffer.deadLetters.exists(id)));
  const there = ids.filter((_, at) => known[at] === true);
  const back = ownAddress(form.get("back") ?? section);
  if (there.length === 0) {
    throw new Refusal(422, "No dead letter is chosen.", "Choose some; another may have dealt with them.");
  }
  const act = form.get("act");
  if (act === "requeue") {
    seeOther(ctx, withNotice(afterwards(back), "requeued", await actions.requeue(operator, there)));
  } else if (act === "discard" && form.get("confirmed") !== "yes") {
    answerPage(ctx, confirmPage(viewerOf(ctx, services), there, afterwards(back)));
  } else if (act === "discard") {
    seeOther(ctx, withNotice(afterwards(back), "discarded", await actions.discard(operator, there)));
  } else throw new Refusal(422, "There is no such act.", "Use the buttons of the page.");
}

/** The list it came from; the page of a single dead letter is gone then. */
function afterwards(back: string): string {
  return back.startsWith(letterAddress({ id: "" })) || !back.startsWith(section) ? section : back;
}
