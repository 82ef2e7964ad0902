import { expect } from "chai";
import { MemoryServices } from "./memory.ts";
import type { Shell } from "./shell.ts";
import { messageMaxBytes, patch, post, put, send, startShell, token } from "./shell.ts";

describe("changes", () => {
  let shell: Shell;
  before(async () => {
    shell = await startShell();
  });
  after(() => shell.close());
  beforeEach(() => shell.recorded.changes.splice(0));

  const application = () => `${shell.url}/api/v1/applications/${token}`;

  for (const [verb, change] of Object.entries({ PUT: put, PATCH: patch })) {
    describe(`by ${verb}`, () => {
      it("rename an application from a wrapped or a bare name", async () => {
        for (const body of ['{"application":{"name":"New"}}', '{"name":"New"}']) {
          const { status, json } = await change(application(), body);
          expect(status).to.equal(200);
          expect(json).to.include({ name: "New", token, chat_count: 3 });
          expect(shell.recorded.changes.pop()).to.deep.equal(["updateApplication", token, "New"]);
        }
      });

      it("set, remove or leave a chat's title", async () => {
        for (const [body, title] of [
          ['{"chat":{"title":"T"}}', "T"],
          ['{"title":"T"}', "T"],
          ['{"title":""}', ""],
          ['{"title":null}', null],
          ["{}", undefined],
          ["", undefined],
        ] as const) {
          const { status, json } = await change(`${application()}/chats/4`, body);
          expect(status).to.equal(200);
          expect(json).to.include({ number: 4 });
          expect(shell.recorded.changes.pop()).to.deep.equal(["updateChat", token, 4, title]);
        }
      });

      it("change a message's text from a wrapped or a bare body", async () => {
        for (const body of ['{"message":{"body":" new "}}', '{"body":" new "}']) {
          const { status, json } = await change(`${application()}/chats/4/messages/5`, body);
          expect(status).to.equal(200);
          expect(json).to.include({ number: 5, body: " new " });
          expect(shell.recorded.changes.pop()).to.deep.equal(["updateMessage", token, 4, 5, " new "]);
        }
      });

      it("are refused by field, with 422", async () => {
        const refused: [string, string, string, string][] = [
          ["", '{"name":" "}', "name", "can't be blank"],
          ["", "", "name", "can't be blank"],
          ["", '{"name":1}', "name", "must be a string"],
          ["/chats/4", '{"title":1}', "title", "must be a string"],
          ["/chats/4", `{"title":"${"x".repeat(256)}"}`, "title", "is too long (maximum is 255 characters)"],
          ["/chats/4/messages/5", "{}", "body", "can't be blank"],
          ["/chats/4/messages/5", '{"body":" "}', "body", "can't be blank"],
          ["/chats/4/messages/5", '{"body":7}', "body", "must be a string"],
          ["/chats/4/messages/5", '{"body":"\\ud800"}', "body", "must be well-formed Unicode text"],
        ];
        for (const [path, body, field, sentence] of refused) {
          const { status, json } = await change(application() + path, body);
          expect(status).to.equal(422);
          expect(json["errors"]).to.deep.equal({ [field]: [sentence] });
        }
        expect(shell.recorded.changes).to.be.empty;
      });

      it("are refused with 413 where a text is larger than a message may be", async () => {
        const url = `${application()}/chats/4/messages/5`;
        expect(
          (await change(url, JSON.stringify({ body: "é".repeat(messageMaxBytes / 2) }))).status,
        ).to.equal(200);
        expect(
          (await change(url, JSON.stringify({ body: "x".repeat(messageMaxBytes + 1) }))).status,
        ).to.equal(413);
      });
    });
  }

  it("by DELETE name the record and say that it is gone", async () => {
    for (const [path, ...call] of [
      ["/chats/4/messages/5", "deleteMessage", token, 4, 5],
      ["/chats/4", "deleteChat", token, 4],
      ["", "deleteApplication", token],
    ] as const) {
      const { status, json } = await send(application() + path, { method: "DELETE" });
      expect(status).to.equal(200);
      expect(json).to.deep.equal({ message: "Deleted successfully" });
      expect(shell.recorded.changes.pop()).to.deep.equal(call);
    }
  });

  it("are among the methods that an address allows", async () => {
    for (const path of ["", "/chats/4", "/chats/4/messages/5"]) {
      const { headers } = await send(application() + path, { method: "OPTIONS" });
      const methods = ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"];
      expect(headers.get("allow")?.split(", ")).to.have.members(methods);
    }
  });
});

describe("what was deleted", () => {
  it("is not found, nor is what was in it", async () => {
    const shell = await startShell({ services: new MemoryServices() });
    try {
      const { json } = await post(`${shell.url}/applications`, '{"name":"Shop"}');
      const application = `${shell.url}/applications/${String(json["token"])}`;
      await post(`${application}/chats`, "");
      await post(`${application}/chats/1/messages`, '{"body":"hi"}');
      for (const path of ["/chats/1/messages/1", "/chats/1", ""]) {
        expect((await send(application + path, { method: "DELETE" })).status).to.equal(200);
        expect((await send(application + path)).status).to.equal(404);
        expect((await send(application + path, { method: "DELETE" })).status).to.equal(404);
        expect((await put(application + path, '{"name":"a","body":"a"}')).status).to.equal(404);
      }
      expect((await send(`${application}/chats/1/messages/1`)).json).to.include({
        code: "application_not_found",
      });
    } finally {
      await shell.close();
    }
  });
});
