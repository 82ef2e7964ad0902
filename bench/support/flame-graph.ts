import type { Frame } from "./cpu-profile.ts";

const width = 1200;
const rowHeight = 16;
const headHeight = 40;
const letterWidth = 6.1;
/** A name of fewer letters says nothing. */
const leastLetters = 4;

/** Who wrote the code: what a frame's colour tells. By day, and by night. */
const kinds = {
  sluice: ["#a5c8ff", "#1d4f91"],
  packages: ["#ffcf99", "#7d4608"],
  node: ["#b5e3b0", "#28602a"],
  native: ["#d5d8dc", "#4a5058"],
} as const;
type Kind = keyof typeof kinds;

const style = [
  "text{font:10px ui-monospace,Menlo,Consolas,monospace;fill:#14181d}",
  ".title{font-size:13px}.paper{fill:#fff}",
  ...Object.entries(kinds).map(([kind, [day]]) => `.${kind}{fill:${day}}`),
  "@media(prefers-color-scheme:dark){text{fill:#eef1f4}.paper{fill:#0d1117}",
  ...Object.entries(kinds).map(([kind, [, night]]) => `.${kind}{fill:${night}}`),
  "}",
].join("");

/**
 * Draws a tree of calls as an SVG: each frame stands on its caller and is as wide as its share of the time. Frames
 * of less than `leastShare` are left out, with all that they call.
 */
export function flameGraph(root: Frame, title: string, leastShare: number): string {
  const least = root.totalUs * leastShare;
  const height = headHeight + rowHeight * depthOf(root, least) + 4;
  const lines: string[] = [];
  draw(root, { x: 0, y: height - rowHeight - 2 });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `<style>${style}</style>`,
    `<rect class="paper" width="${width}" height="${height}"/>`,
    `<text class="title" x="4" y="14">${escapeXml(title)}</text>`,
    ...Object.keys(kinds).map((kind, at) => legend(kind, 4 + at * 90)),
    ...lines,
    "</svg>\n",
  ].join("\n");

  function draw(frame: Frame, at: { x: number; y: number }): void {
    if (frame.totalUs < least || frame.totalUs === 0) return;
    lines.push(drawFrame(frame, root.totalUs, at));
    let { x } = at;
    for (const child of frame.children) {
      draw(child, { x, y: at.y - rowHeight });
      x += (child.totalUs / root.totalUs) * width;
    }
  }
}

function drawFrame(frame: Frame, allUs: number, { x, y }: { x: number; y: number }): string {
  const wide = (frame.totalUs / allUs) * width;
  const letters = Math.floor((wide - 4) / letterWidth);
  const percent = (us: number) => `${((us / allUs) * 100).toFixed(1)} %`;
  const what = `${frame.name} (${frame.place})`;
  const tip = `${what}: ${percent(frame.totalUs)}, by itself ${percent(frame.selfUs)}`;
  const place = `x="${x.toFixed(1)}" y="${y}"`;
  const size = `width="${Math.max(0.5, wide - 0.6).toFixed(1)}" height="${rowHeight - 1}"`;
  const rect = `<rect class="${kindOf(frame)}" ${place} ${size}><title>${escapeXml(tip)}</title></rect>`;
  if (letters < leastLetters) return rect;
  const text = what.length > letters ? `${what.slice(0, letters - 1)}…` : what;
  return `${rect}<text x="${(x + 2).toFixed(1)}" y="${y + 11}" pointer-events="none">${escapeXml(text)}</text>`;
}

function kindOf({ place }: Frame): Kind {
  if (place.startsWith("sluice/")) return "sluice";
  if (place.startsWith("node:")) return "node";
  return place === "native" ? "native" : "packages";
}

function legend(kind: string, x: number): string {
  return `<rect class="${kind}" x="${x}" y="22" width="10" height="10"/><text x="${x + 14}" y="31">${kind}</text>`;
}

function depthOf(frame: Frame, least: number): number {
  if (frame.totalUs < least) return 0;
  return 1 + Math.max(0, ...frame.children.map((child) => depthOf(child, least)));
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
