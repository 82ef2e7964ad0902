// Without a buffer: Koa, and one transaction a request that numbers under the lock of the chat's row.
import { randomBytes } from "node:crypto";

import Router from "@koa/router";
import Koa from "koa";
import { koaBody } from "koa-body";
import type { RowDataPacket } from "mysql2";

import { openDatabase, settings, tellReady } from "./settings.ts";

// Enough for commits to be grouped by the server; more only wait for each other's locks.
const database = openDatabase(32);

async function insert(token: string, chat: number, body: string): Promise<number | undefined> {
  const connection = await database.getConnection();
  try {
    await connection.beginTransaction();
    const [rows] = await connection.query<RowDataPacket[]>(
      "select last_message_number as last from chats where application_token = ? and number = ? for update",
      [token, chat],
    );
    const last: unknown = rows[0]?.["last"];
    if (last === undefined) {
      await connection.rollback();
      return undefined;
    }
    const number = Number(last) + 1;
    const now = new Date();
    await connection.query(
      "update chats set last_message_number = ? where application_token = ? and number = ?",
      [number, token, chat],
    );
    await connection.query(
      "insert into messages (application_token, chat_number, number, body, operation_id, created_at, updated_at)" +
        " values (?, ?, ?, ?, ?, ?, ?)",
      [token, chat, number, body, randomBytes(8).toString("hex"), now, now],
    );
    await connection.commit();
    return number;
  } finally {
    connection.release();
  }
}

const router = new Router();
router.post("/api/v1/applications/:token/chats/:chat/messages", async (ctx) => {
  const { token = "", chat = "" } = ctx.params;
  const { body } = (ctx.request.body ?? {}) as { body?: unknown };
  if (typeof body !== "string" || body === "") {
    ctx.status = 400;
    return;
  }
  const number = await insert(token, Number(chat), body);
  ctx.status = number === undefined ? 404 : 201;
  ctx.body = { number, body };
});

const app = new Koa();
app.use(koaBody());
app.use(router.routes());
app.listen(settings.port, "127.0.0.1", tellReady);
