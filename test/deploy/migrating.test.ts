import { expect } from "chai";

import { Client } from "../support/client.ts";
import { type SluiceProcess, startApi } from "../support/sluice-process.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";
import { readProjectFile } from "./files.ts";

const token = "abc123DEF_456-ghi789";
const times = "created_at datetime(6) not null, updated_at datetime(6) not null";
const at = "'2025-11-11 00:00:00.000001', '2025-11-11 01:00:00'";

/** The old systems' tables, by the section of the page that is for them. */
const shapes: Readonly<Record<string, readonly string[]>> = {
  "Tables joined by ids": [
    `create table applications (id bigint primary key, name varchar(255), token varchar(255), ${times})`,
    `create table chats (id bigint primary key, application_id bigint, number int, messages_count int, ${times})`,
    `create table messages (id bigint primary key, chat_id bigint, number int, body text, ${times})`,
    `insert into applications values (5, 'Old', '${token}', ${at})`,
    `insert into chats values (8, 5, 1, 0, ${at}), (9, 5, 2, 0, ${at})`,
    `insert into messages values (1, 9, 1, 'Hello', ${at}), (2, 9, 2, 'Grüße 😀', ${at})`,
  ],
  "Tables joined by tokens": [
    `create table applications (name varchar(255), token varchar(255), ${times})`,
    `create table chats (application_token varchar(255), chat_number int, ${times})`,
    `create table messages (application_token varchar(255), chat_number int, message_number int, body text, ${times})`,
    `insert into applications values ('Old', '${token}', ${at})`,
    `insert into chats values ('${token}', 1, ${at}), ('${token}', 2, ${at})`,
    `insert into messages values ('${token}', 2, 1, 'Hello', ${at}), ('${token}', 2, 2, 'Grüße 😀', ${at})`,
  ],
};

/** The statements of a section of docs/migrating.md. */
function statementsOf(section: string): string[] {
  const [, after = ""] = readProjectFile("docs/migrating.md").split(`### ${section}\n`);
  const [text = ""] = after.split("\n### ", 1);
  return [...text.matchAll(/```sql\n([^]*?);\n```/g)].map(([, statement = ""]) => statement);
}

describe("The statements of docs/migrating.md", () => {
  let workspace: Workspace;
  let api: SluiceProcess | undefined;
  let old: string;

  beforeEach(async () => {
    workspace = await openWorkspace();
    old = `${workspace.config.database.name}_old`;
  });
  afterEach(async () => {
    await api?.end("SIGTERM");
    api = undefined;
    await workspace.sql.raw("drop database if exists ??", [old]);
    await workspace.close();
  });

  for (const [section, tables] of Object.entries(shapes)) {
    it(`bring over what is in ${section.toLowerCase()}, and Sluice goes on above it`, async () => {
      await workspace.sql.raw("create database ?? character set utf8mb4", [old]);
      for (const statement of tables) {
        await workspace.sql.raw(statement.replace(/(create table|insert into) /, `$1 ${old}.`));
      }
      const statements = statementsOf(section).concat(statementsOf("Numbers that were deleted"));
      expect(statements).to.have.lengthOf(5);
      for (const statement of statements) {
        await workspace.sql.raw(statement.replaceAll("chat_old", old).replaceAll("the token", token));
      }
      const started = await startApi(workspace.env);
      api = started.process;
      const client = new Client(started.url);
      const messages = `/api/v1/applications/${token}/chats/2/messages`;
      const { body } = await client.get<{ body: string; created_at: string }>(`${messages}/2`);
      expect(body).to.include({ body: "Grüße 😀", created_at: "2025-11-11T00:00:00.000Z" });
      const next = async (path: string, sent?: object) =>
        (await client.post<{ number: number }>(path, sent)).body.number;
      expect(await next(messages, { body: "new" })).to.equal(3);
      // As the statements for deleted numbers say.
      expect(await next(`/applications/${token}/chats`)).to.equal(8);
      expect(await next(`/applications/${token}/chats/1/messages`, { body: "new" })).to.equal(43);
      client.close();
    });
  }
});
