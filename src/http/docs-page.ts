import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(import.meta.url);

/** A file of the docs page, ready to be sent. */
export interface Asset {
  readonly type: string;
  readonly bytes: Buffer;
  readonly etag: string;
}

/** What the docs page may do: run and show its own files, and ask this server. Nothing may stand inline. */
export const docsPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** The page itself; `base` is the address of its files. */
export const docsPage = (base: string) => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Sluice API</title>
    <link rel="icon" type="image/png" href="${base}/favicon-32x32.png" />
    <link rel="stylesheet" href="${base}/swagger-ui.css" />
  </head>
  <body>
    <div id="docs"></div>
    <script src="${base}/swagger-ui-bundle.js"></script>
    <script src="${base}/start.js"></script>
  </body>
</html>
`;

/** Not inline in the page, so that its policy can forbid inline scripts. No validator: it is somebody else's server. */
const startScript = `const description = new URL("../openapi.json", document.currentScript.src);
SwaggerUIBundle({
  url: description.href,
  dom_id: "#docs",
  deepLinking: true,
  validatorUrl: null,
  tryItOutEnabled: true,
});
`;

const javascript = "text/javascript; charset=utf-8";

/** The only files there are. A name is looked up here and never made into a path. */
const assets = new Map<string, () => Promise<Asset>>([
  ["swagger-ui.css", packaged("swagger-ui.css", "text/css; charset=utf-8")],
  ["swagger-ui-bundle.js", packaged("swagger-ui-bundle.js", javascript)],
  ["favicon-32x32.png", packaged("favicon-32x32.png", "image/png")],
  ["start.js", once(() => Promise.resolve(assetOf(Buffer.from(startScript), javascript)))],
]);

/** A file of the page, read from disk the first time; nothing for a name that is none of them. */
export const docsAsset = async (name: string): Promise<Asset | undefined> => assets.get(name)?.();

function packaged(name: string, type: string): () => Promise<Asset> {
  return once(async () => {
    const manifest = require.resolve("swagger-ui-dist/package.json");
    return assetOf(await readFile(path.join(path.dirname(manifest), name)), type);
  });
}

function assetOf(bytes: Buffer, type: string): Asset {
  const digest = createHash("sha256").update(bytes).digest("base64url").slice(0, 22);
  return { type, bytes, etag: `"${digest}"` };
}

/** Keeps the first result; a failure is not kept. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return async () => {
    made ??= make();
    try {
      return await made;
    } catch (error) {
      made = undefined;
      throw error;
    }
  };
}
