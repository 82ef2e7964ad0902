import { accessSync, constants, mkdirSync } from "node:fs";
import path from "node:path";

import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

/** The chromium on the PATH; nothing where there is none. */
export function findChromium(): string | undefined {
  const directories = (process.env["PATH"] ?? "").split(path.delimiter);
  return directories
    .flatMap((directory) => ["chromium", "chromium-browser"].map((name) => path.join(directory, name)))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

export async function launch(executablePath: string): Promise<Browser> {
  // Its sandbox needs rights that root in a container does not have; it sees pages of this test alone.
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

/** What went wrong in a browser's window, whatever it showed. */
export interface Watched {
  readonly page: Page;
  /** Complaints of the console, which tells of every breach of the policy; scripts that failed; dialogs. */
  readonly complaints: string[];
  /** Hosts that anything was asked from. */
  readonly hosts: Set<string>;
}

/** Opens a page in a window of its own and notes what it does. */
export async function openWatched(context: BrowserContext): Promise<Watched> {
  const page = await context.newPage();
  const complaints: string[] = [];
  const hosts = new Set<string>();
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => hosts.add(new URL(request.url()).host));
  return { page, complaints, hosts };
}

const directory = path.resolve(".sluice", "screenshots");

/** Keeps what a page looks like, for people, until the next run. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  mkdirSync(directory, { recursive: true });
  await page.screenshot({ path: path.join(directory, `${name}.png`), fullPage: true });
}

/** Whether a page is wider than its window. */
export async function isTooWide(page: Page): Promise<boolean> {
  return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth");
}
