import { readFileSync } from "node:fs";

import { parser } from "@prometheus-io/lezer-promql";
import { expect } from "chai";
import { parse } from "yaml";

import { credentials, OpsStage } from "./stage.ts";

const read = (path: string) => readFileSync(new URL(`../../deploy/${path}`, import.meta.url), "utf8");

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly {
      alert: string;
      expr: string;
      labels: { severity: string };
      annotations: { runbook: string };
    }[];
  }[];
}
interface Dashboard {
  readonly panels: readonly { title: string; targets: readonly { expr: string }[] }[];
}

/** The metrics that a query asks for. @throws where it is none that Prometheus would take */
function metricsIn(query: string): string[] {
  const text = query.replaceAll("$__rate_interval", "1m");
  const names: string[] = [];
  parser.parse(text).iterate({
    enter: (node) => {
      if (node.type.isError) throw new Error(`no query: ${query}`);
      if (node.name === "Identifier" && node.matchContext(["VectorSelector"])) {
        names.push(text.slice(node.from, node.to));
      }
    },
  });
  return names;
}

describe("What deploy/ has for Prometheus and Grafana", () => {
  const { rules } = (parse(read("alerts/sluice.yml")) as Rules).groups[0] ?? { rules: [] };
  const { panels } = JSON.parse(read("grafana/sluice.json")) as Dashboard;
  const queries = [
    ...rules.map(({ expr }) => expr),
    ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ];

  it("asks for metrics that there are, with labels that they have", async () => {
    const stage = await OpsStage.open(credentials);
    try {
      await stage.get("/metrics");
      const text = (await stage.get("/metrics")).text;
      const there = new Set([...text.matchAll(/^([a-z_0-9]+)(?:\{| )/gm)].map(([, name]) => name));
      const asked = queries.flatMap(metricsIn);
      expect(asked.length).to.be.above(20);
      for (const name of asked) expect(there, name).to.include(name);
      const grouped = queries.flatMap((query) =>
        [...query.matchAll(/by \(([^)]*)\)/g)].map(([, names]) => names ?? ""),
      );
      const known = new Set([...text.matchAll(/[{,](\w+)="/g)].map(([, name]) => name));
      // These two are given by Prometheus itself.
      for (const label of grouped.flatMap((names) => names.split(", "))) {
        expect([...known, "instance", "job"], label).to.include(label);
      }
    } finally {
      await stage.close();
    }
  });

  it("says of each alert how urgent it is, what is wrong and what to do", () => {
    for (const { alert, labels, annotations } of rules) {
      expect(labels, alert).to.have.property("severity").that.is.oneOf(["page", "ticket"]);
      expect(annotations, alert).to.have.all.keys("summary", "description", "runbook");
    }
  });

  it("leads from each alert to its section in the documentation, which has no others", () => {
    const operations = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8");
    const sections = [...operations.matchAll(/^### (Sluice\w+)$/gm)].map(([, name = ""]) => name);
    expect(sections).to.deep.equal(rules.map(({ alert }) => alert));
    for (const { alert, labels, annotations } of rules) {
      expect(annotations.runbook).to.equal(`docs/operations.md#${alert.toLowerCase()}`);
      const [urgency = ""] = (operations.split(`### ${alert}\n\n`)[1] ?? "").split(".", 1);
      expect(urgency.toLowerCase(), alert).to.equal(labels.severity);
    }
  });

  it("would be refused with a query that is none", () => {
    expect(() => metricsIn("sum by (sluice_redis_up")).to.throw("no query");
    expect(metricsIn("rate(a_total[5m]) / b")).to.deep.equal(["a_total", "b"]);
  });
});
