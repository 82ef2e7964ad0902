import { readdirSync, readFileSync } from "node:fs";

import { parse, parseAllDocuments } from "yaml";

const root = new URL("../../", import.meta.url);

/** A file of the project, by its path in it. */
export const readProjectFile = (path: string) => readFileSync(new URL(path, root), "utf8");

/** The names in a folder of the project. */
export const namesIn = (folder: string) => readdirSync(new URL(`${folder}/`, root));

export interface ComposeService {
  readonly image?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly networks: readonly string[];
  readonly user?: string;
  readonly read_only?: boolean;
  readonly healthcheck?: object;
  readonly deploy: { readonly resources: { readonly limits: { readonly memory: string } } };
}

export interface Compose {
  readonly name: string;
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
}

export const readCompose = () => parse(readProjectFile("docker-compose.yml"), { merge: true }) as Compose;

/** What a file of Kubernetes declares. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
  readonly spec?: { readonly template?: { readonly spec: PodSpec } };
}

interface PodSpec {
  readonly terminationGracePeriodSeconds?: number;
  readonly securityContext: { readonly runAsNonRoot: boolean };
  readonly containers: readonly {
    readonly image: string;
    readonly args: readonly string[];
    readonly securityContext: { readonly readOnlyRootFilesystem: boolean };
    readonly envFrom: readonly Readonly<Record<string, { readonly name: string }>>[];
  }[];
}

/** All that deploy/kubernetes/ declares, with the file it is in. */
export function readManifests(): readonly { readonly file: string; readonly manifest: Manifest }[] {
  return namesIn("deploy/kubernetes").flatMap((file) =>
    parseAllDocuments(readProjectFile(`deploy/kubernetes/${file}`)).map((document) => ({
      file,
      manifest: document.toJS() as Manifest,
    })),
  );
}
