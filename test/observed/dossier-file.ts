import { Looks, type Told } from "./looks.ts";
import type { Path } from "./recorded.ts";

/** All that was recorded of one record. */
export interface Dossier {
  readonly path: Path;
  readonly looks: Looks;
  /** The post that made it, or one that may have. */
  readonly makings: Told[];
  readonly updates: Told[];
  /** Of itself alone, not of what it belongs to. */
  readonly removals: Told[];
}

/** A dossier of each record that anything is known of. */
export class DossierFile {
  readonly all = new Map<Path, Dossier>();

  of(path: Path): Dossier {
    const known = this.all.get(path);
    if (known) return known;
    const dossier = { path, looks: new Looks(), makings: [], updates: [], removals: [] };
    this.all.set(path, dossier);
    return dossier;
  }
}
