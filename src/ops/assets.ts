import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

/** A file of the dashboard, ready to be sent. */
export interface Asset {
  readonly type: string;
  readonly bytes: Buffer;
  readonly etag: string;
}

const require = createRequire(import.meta.url);
const own = (name: string) => new URL(`assets/${name}`, import.meta.url);
const javascript = "text/javascript; charset=utf-8";
const css = "text/css; charset=utf-8";

/** The only files there are. A name is looked up here and never made into a path. */
const files: Readonly<Record<string, { readonly path: string | URL; readonly type: string }>> = {
  "ops.css": { path: own("ops.css"), type: css },
  "ops.js": { path: own("ops.js"), type: javascript },
  "icon.svg": { path: own("icon.svg"), type: "image/svg+xml" },
  "uplot.js": { path: require.resolve("uplot/dist/uPlot.iife.min.js"), type: javascript },
  "uplot.css": { path: require.resolve("uplot/dist/uPlot.min.css"), type: css },
};

/** Reads a file of the dashboard; nothing for a name that is none of them. */
export async function readAsset(name: string): Promise<Asset | undefined> {
  const file = Object.hasOwn(files, name) ? files[name] : undefined;
  if (!file) return undefined;
  const bytes = await readFile(file.path);
  const digest = createHash("sha256").update(bytes).digest("base64url").slice(0, 22);
  return { type: file.type, bytes, etag: `"${digest}"` };
}
