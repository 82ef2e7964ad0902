import type { Router } from "@koa/router";

import type { OpsState } from "../context.ts";
import { noticeOf, withNotice } from "../notices.ts";
import type { OpsServices } from "../services.ts";
import { addressesPage, addressesPerPage } from "../pages/addresses.ts";
import { auditPage, auditPerPage } from "../pages/audit.ts";
import { wholeNumber } from "../parameters.ts";
import { answerPage, guarded, guardedForm, queryOf, seeOther, viewerOf } from "./guarded.ts";

const formMaxBytes = 8 * 1024;

/** Adds what clients and operators did: blocked addresses, the audit trail. */
export function routeActivity(router: Router<OpsState>, services: OpsServices): void {
  const { buffer, actions } = services;

  router.get(
    "/ops/addresses",
    guarded(services, async (ctx) => {
      const query = queryOf(ctx);
      const pageNumber = wholeNumber(query, "page", 1, 1, 10_000);
      const found = await buffer.blockedAddresses.list((pageNumber - 1) * addressesPerPage, addressesPerPage);
      const parts = { pageNumber, notice: noticeOf(query) };
      answerPage(ctx, addressesPage(viewerOf(ctx, services), found, parts));
    }),
  );

  router.post(
    "/ops/addresses",
    guardedForm(services, formMaxBytes, async (ctx, form, operator) => {
      await actions.unblock(operator, (form.get("address") ?? "").slice(0, 100));
      seeOther(ctx, withNotice("/ops/addresses", "unblocked", 1));
    }),
  );

  router.get(
    "/ops/audit",
    guarded(services, async (ctx) => {
      const pageNumber = wholeNumber(queryOf(ctx), "page", 1, 1, 10_000);
      const found = await buffer.audit.read((pageNumber - 1) * auditPerPage, auditPerPage);
      answerPage(ctx, auditPage(viewerOf(ctx, services), found, pageNumber));
    }),
  );
}
