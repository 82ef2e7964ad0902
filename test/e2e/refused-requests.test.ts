import { expect } from "chai";

import { type Answer, Client } from "../support/client.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { type SluiceProcess, startApi } from "../support/sluice-process.ts";
import { waitFor } from "../support/wait-for.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

interface Created {
  readonly token: string;
}

type Vendor = "MariaDB" | "MySQL";

/** What a server is made to refuse, and how that ends. */
interface Refusal {
  readonly what: string;
  /** The numbers that it may give for that; without some it cannot be made to. */
  readonly errnos: Partial<Record<Vendor, readonly number[]>>;
  readonly begin: readonly string[];
  readonly end: readonly string[];
  /** Whether it can still be read meanwhile. */
  readonly isReadable: boolean;
  /** Whether connections that there are do not notice. */
  readonly isOfNewConnections?: boolean;
}

const database = "{database}";
const user = "'clerk'@'%'";

const both = (errno: number) => ({ MariaDB: [errno], MySQL: [errno] });

const refusals: readonly Refusal[] = [
  {
    what: "is read-only",
    errnos: both(1290),
    begin: ["set global read_only = on"],
    end: ["set global read_only = off"],
    isReadable: true,
  },
  {
    what: "begins transactions that are read-only",
    errnos: { MariaDB: [1792] },
    begin: ["set global tx_read_only = on"],
    end: ["set global tx_read_only = off"],
    isReadable: true,
    isOfNewConnections: true,
  },
  {
    what: "begins transactions that are read-only",
    errnos: { MySQL: [1792] },
    begin: ["set global transaction_read_only = on"],
    end: ["set global transaction_read_only = off"],
    isReadable: true,
    isOfNewConnections: true,
  },
  {
    what: "ends statements at once",
    errnos: { MariaDB: [1969] },
    begin: [`alter user ${user} with max_statement_time 0.000001`],
    end: [`alter user ${user} with max_statement_time 0`],
    isReadable: false,
    isOfNewConnections: true,
  },
  {
    what: "locks the account",
    errnos: { MariaDB: [4151], MySQL: [3118] },
    begin: [`alter user ${user} account lock`],
    end: [`alter user ${user} account unlock`],
    isReadable: false,
    isOfNewConnections: true,
  },
  {
    what: "wants another password",
    errnos: both(1045),
    begin: [`alter user ${user} identified by 'another'`],
    end: [`alter user ${user} identified by 'secret'`],
    isReadable: false,
    isOfNewConnections: true,
  },
  {
    what: "lets in nobody but by its socket",
    errnos: { MariaDB: [1698] },
    begin: [`alter user ${user} identified via unix_socket`],
    end: [`alter user ${user} identified by 'secret'`],
    isReadable: false,
    isOfNewConnections: true,
  },
  {
    what: "lets the password expire",
    errnos: { MariaDB: [1820, 1862], MySQL: [1862] },
    begin: [`alter user ${user} password expire`],
    end: [`alter user ${user} identified by 'secret'`],
    isReadable: false,
    isOfNewConnections: true,
  },
  {
    what: "wants TLS",
    // MariaDB before 11 gives the first.
    errnos: { MariaDB: [1045, 3159], MySQL: [3159] },
    begin: ["set global require_secure_transport = on"],
    end: ["set global require_secure_transport = off"],
    isReadable: false,
    isOfNewConnections: true,
  },
  {
    what: "wants TLS of the user",
    errnos: both(1045),
    begin: [`alter user ${user} require ssl`],
    end: [`alter user ${user} require none`],
    isReadable: false,
    isOfNewConnections: true,
  },
  {
    what: "has answered enough in this hour",
    errnos: both(1226),
    begin: [`alter user ${user} with max_queries_per_hour 1`],
    end: [`alter user ${user} with max_queries_per_hour 0`],
    isReadable: false,
    isOfNewConnections: true,
  },
  {
    what: "takes no row more",
    errnos: both(1114),
    begin: [`alter table ${database}.applications engine = memory max_rows = 100`],
    end: [`alter table ${database}.applications engine = innodb max_rows = 0`],
    isReadable: true,
  },
  {
    what: "takes no row of this kind",
    errnos: both(1644),
    begin: [
      `create trigger ${database}.refuse before insert on ${database}.applications for each row signal sqlstate '45000'`,
    ],
    end: [`drop trigger ${database}.refuse`],
    isReadable: true,
  },
  {
    what: "gives no right to insert",
    errnos: both(1142),
    begin: [`revoke insert on ${database}.* from ${user}`],
    end: [`grant insert on ${database}.* to ${user}`],
    isReadable: true,
    isOfNewConnections: true,
  },
  {
    what: "has no such table",
    errnos: both(1146),
    begin: [`rename table ${database}.applications to ${database}.moved`],
    end: [`rename table ${database}.moved to ${database}.applications`],
    isReadable: false,
  },
];

describe("While a real MySQL refuses, and until it does not", () => {
  let engine: PrivateEngine;
  let workspace: Workspace;
  let api: SluiceProcess;
  let client: Client;
  let token: string;
  let vendor: Vendor;

  before(async () => {
    engine = await PrivateEngine.start("database");
    workspace = await openWorkspace(engine.env);
    const [[row]] = (await run("select version() as version")) as [[{ version: string }?]];
    vendor = row?.version.includes("MariaDB") ? "MariaDB" : "MySQL";
    await run(`create user ${user} identified by 'secret'`);
    await run(`grant select, insert, update, delete on ${database}.* to ${user}`);
    const started = await startApi({
      ...workspace.env,
      DATABASE_USERNAME: "clerk",
      DATABASE_PASSWORD: "secret",
    });
    [api, client] = [started.process, new Client(started.url)];
  });

  after(async () => {
    client.close();
    await api.end("SIGTERM");
    await workspace.close();
    await engine.close();
  });

  beforeEach(async () => {
    token = (await client.post<Created>("/applications", { name: "before" })).body.token;
  });

  const run = (statement: string) =>
    workspace.sql.raw(statement.replaceAll(database, workspace.config.database.name));

  async function endConnections(): Promise<void> {
    const [rows] = (await run("select id from information_schema.processlist where user = 'clerk'")) as [
      { id: number }[],
    ];
    for (const { id } of rows) await run(`kill ${id}`).catch(() => undefined);
  }

  /** The numbers that the log has: each once a minute. */
  const told = () =>
    api.log.filter(({ msg }) => msg === "MySQL does not serve requests").map(({ errno }) => errno);

  async function isRefused(errnos: readonly number[]): Promise<boolean> {
    const answer = await client.post("/applications", { name: "while" });
    if (answer.status === 201) return false;
    expectUnavailable(answer);
    return told().some((errno) => errnos.includes(Number(errno)));
  }

  function expectUnavailable(answer: Answer<unknown>): void {
    const { status, headers, body } = answer;
    expect({ status, code: (body as { code?: string }).code }).to.deep.equal({
      status: 503,
      code: "database_unavailable",
    });
    expect(Number(headers["retry-after"])).to.be.at.least(1);
    expect((body as { detail: string }).detail).to.equal(
      "The database does not serve this now; try again later",
    );
  }

  for (const { what, errnos: ofVendors, ...refusal } of refusals) {
    const numbers = Object.entries(ofVendors).map(([name, some]) => `${name} ${some.join(", ")}`);
    it(`is answered 503, and as ever after it: it ${what} (${numbers.join("; ")})`, async function () {
      const errnos = ofVendors[vendor];
      if (!errnos) return this.skip();
      for (const statement of refusal.begin) await run(statement);
      try {
        if (refusal.isOfNewConnections) await endConnections();
        // A table has room for some, and a connection that is killed may be used once more.
        await waitFor(() => isRefused(errnos), { what: `a request to meet ${errnos.join(" or ")}` });
        const read = () => client.get(`/applications/${token}`);
        if (refusal.isReadable) expect((await read()).status).to.equal(200);
        else {
          // A statement may be over before its time is, and a connection that is killed may be used once more.
          const refusedRead = async () => {
            const answer = await read();
            return answer.status !== 200 && answer;
          };
          expectUnavailable(await waitFor(refusedRead, { what: "a read to be refused" }));
        }
      } finally {
        for (const statement of refusal.end) await run(statement);
      }
      await endConnections();
      const create = () => client.post("/applications", { name: "after" });
      await waitFor(async () => (await create()).status === 201, { what: "an application to be created" });
      expect((await client.get(`/applications/${token}`)).status).to.equal(200);
    });
  }
});
