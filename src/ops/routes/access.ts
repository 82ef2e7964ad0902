import type { Router } from "@koa/router";

import { readAsset } from "../assets.ts";
import type { OpsState } from "../context.ts";
import { readForm } from "../form.ts";
import type { OpsServices } from "../services.ts";
import { Refusal } from "../refusal.ts";
import { askToSignIn, seeOther } from "./guarded.ts";

const signInMaxBytes = 8 * 1024;

/** Adds signing in and out, and the files of the pages, which everybody may have. */
export function routeAccess(router: Router<OpsState>, { guard }: OpsServices): void {
  router.post("/ops/sign-in", async (ctx) => {
    const form = await readForm(ctx, signInMaxBytes);
    const to = ownAddress(form.get("to") ?? "");
    const given = { username: form.get("username") ?? "", password: form.get("password") ?? "" };
    if (await guard.signIn(ctx, given)) seeOther(ctx, to);
    else askToSignIn(ctx, to, true);
  });

  router.post("/ops/sign-out", (ctx) => {
    guard.signOut(ctx);
    seeOther(ctx, "/ops");
  });

  router.get("/ops/assets/:name", async (ctx) => {
    const asset = await readAsset(ctx.params["name"] ?? "");
    if (!asset) throw new Refusal(404, "There is nothing here.", "Go back to the dashboard.");
    ctx.status = 200;
    ctx.set("Cache-Control", "public, max-age=300");
    ctx.set("ETag", asset.etag);
    ctx.set("Content-Type", asset.type);
    if (ctx.fresh) ctx.status = 304;
    else ctx.body = asset.bytes;
  });
}

/** An address of the dashboard; the first page for any other, which could be somebody else's. */
export function ownAddress(address: string): string {
  return /^\/ops(?:[/?][\w/?&=%.:+~-]*)?$/.test(address) ? address : "/ops";
}
