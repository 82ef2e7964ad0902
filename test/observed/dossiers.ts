import { takeAbsences } from "./absences.ts";
import { type Dossier, DossierFile } from "./dossier-file.ts";
import { tell } from "./looks.ts";
import { takeMakings } from "./makings.ts";
import { type Path, type Post, type Recorded, type Removal, type Update } from "./recorded.ts";
import { takeLooks } from "./take-looks.ts";

/** Sorts what was recorded by the records that it is about; `isRefused` says which texts MySQL does not take. */
export function gatherDossiers(
  recorded: readonly Recorded[],
  isRefused: (text: string) => boolean,
): ReadonlyMap<Path, Dossier> {
  const file = new DossierFile();
  for (const act of recorded) takeLooks(file, act);
  takeMakings(
    file,
    recorded.filter((act): act is Post & Recorded => act.do === "post"),
  );
  for (const act of recorded) if (act.do === "delete" || act.do === "discard") takeRemoval(file, act);
  takeAbsences(file, recorded);
  for (const act of recorded) if (act.do === "update") takeUpdate(file, act, isRefused);
  return file.all;
}

function takeRemoval(file: DossierFile, act: Removal & Recorded): void {
  const { removals } = file.of(act.path);
  if (act.outcome === "unknown")
    removals.push(tell(act, { do: act.do }, { endedMs: Infinity, isCertain: false }));
  // What an operator throws away may be gone already, or a change: then it is not the record that goes.
  if (act.outcome === "done") removals.push(tell(act, { do: act.do }, { isCertain: act.do === "delete" }));
}

/** One of unknown outcome whose text nobody ever saw has told nobody anything. */
function takeUpdate(file: DossierFile, act: Update & Recorded, isRefused: (text: string) => boolean): void {
  const { path, text, outcome } = act;
  const { looks, updates } = file.of(path);
  const change = { do: "update", text } as const;
  if (outcome === "done") updates.push(tell(act, change));
  else if (outcome !== "refused" && (looks.has(text) || isRefused(text))) {
    // Not there may also mean that it was deleted between the change and the look at it.
    const endedMs = outcome === "unknown" ? Infinity : act.endedMs;
    updates.push(tell(act, change, { endedMs, isCertain: false }));
  }
}
