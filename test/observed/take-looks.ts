import type { DossierFile } from "./dossier-file.ts";
import { tell } from "./looks.ts";
import { type Listing, parentOf, type Path, pathIn, type Post, type Recorded } from "./recorded.ts";

/** Takes down what an act saw of the record that it is about, and of what that belongs to. */
export function takeLooks(file: DossierFile, act: Recorded): void {
  switch (act.do) {
    case "read":
    case "update":
      see(file, act, act.path, act.seen);
      if (act.outcome === "missing") miss(file, act, act.path);
      return;
    case "delete":
      if (act.outcome === "missing") miss(file, act, act.path);
      return;
    case "post":
    case "list":
      lookAtParent(file, act);
      return;
    default:
  }
}

function lookAtParent(file: DossierFile, act: (Post | Listing) & Recorded): void {
  if (act.outcome === "missing") miss(file, act, act.parent);
  const isLook = act.outcome === "done" && !(act.do === "post" && act.isReplayed);
  for (let above = isLook ? act.parent : ""; above !== ""; above = parentOf(above))
    file.of(above).looks.add(tell(act, { do: "see it there" }));
  if (act.do !== "list") return;
  for (const { number, text } of act.items) see(file, act, pathIn(act.parent, number), text);
}

function see(file: DossierFile, act: Recorded, path: Path, text: string | undefined): void {
  if (text !== undefined) file.of(path).looks.add(tell(act, { do: "see", text }));
}

function miss(file: DossierFile, act: Recorded, path: Path): void {
  if (path !== "") file.of(path).looks.add(tell(act, { do: "miss" }));
}
