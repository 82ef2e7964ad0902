import type { Client, estypes } from "@elastic/elasticsearch";

import { statusOf } from "./elastic-client.ts";
import { definitionVersion, indexTemplate } from "./index-definition.ts";

/** Up to which message an index was filled: the place of the last one that was written. */
export interface FillPosition {
  readonly token: string;
  readonly chatNumber: number;
  readonly number: number;
}

/** An index that is being filled, and from where on. */
export interface Filling {
  readonly index: string;
  readonly position: FillPosition | undefined;
}

/** What an index says of itself. */
interface Meta {
  readonly definition?: number;
  readonly position?: FillPosition;
}

/**
 * The indices of an installation: `<prefix>-000001` and so on. The one under the alias `<prefix>` is searched;
 * all under `<prefix>-targets` are written. An index becomes a target first, is then filled, and is searched
 * at last, so that it has missed nothing by then. Each is written by an alias of its own: a write that comes
 * after its removal fails, where a bare name would make an index anew.
 */
export class Indices {
  readonly alias: string;
  readonly #client: Client;
  readonly #prefix: string;

  constructor(client: Client, prefix: string) {
    this.#client = client;
    this.#prefix = prefix;
    this.alias = prefix;
  }

  /** The names to write by, one for each index that must have every change. */
  async targets(): Promise<string[]> {
    return Object.keys(await this.#under(this.#targetsAlias)).map(writeAlias);
  }

  /** Whether there is an index to search, of this program's definition. */
  async isSearchable(): Promise<boolean> {
    const searched = Object.keys(await this.#under(this.alias));
    const metas = await Promise.all(searched.map((index) => this.#meta(index)));
    return metas.some(({ definition }) => definition === definitionVersion);
  }

  /** The index that is being filled: one that somebody began, or a new one. It is a target from now on. */
  async beginFilling(): Promise<Filling> {
    const searched = Object.keys(await this.#under(this.alias));
    const targets = Object.keys(await this.#under(this.#targetsAlias));
    for (const index of targets.filter((name) => !searched.includes(name))) {
      const { definition, position } = await this.#meta(index);
      if (definition === definitionVersion) return { index, position };
      await this.#remove(index);
    }
    return { index: await this.#create(), position: undefined };
  }

  /** Notes up to where an index is filled. */
  async notePosition(index: string, position: FillPosition): Promise<void> {
    await this.#client.indices.putMapping({ index, _meta: { definition: definitionVersion, position } });
  }

  /** Makes an index the one that is searched, and removes all others, in one step. */
  async finishFilling(index: string): Promise<void> {
    await this.refresh([writeAlias(index)]);
    const others = Object.keys(await this.#under(this.alias)).filter((name) => name !== index);
    await this.#client.indices.updateAliases({
      actions: [
        { add: { index, alias: this.alias } },
        ...others.map((other) => ({ remove_index: { index: other } })),
      ],
    });
  }

  /** What was written to these can be found when this resolves. */
  async refresh(targets: readonly string[]): Promise<void> {
    await this.#client.indices.refresh({ index: [...targets] });
  }

  /** Removes every index and the template. */
  async removeAll(): Promise<void> {
    const found = await this.#client.indices.get({ index: `${this.#prefix}-*` });
    for (const index of Object.keys(found)) await this.#remove(index);
    await this.#client.indices.deleteIndexTemplate({ name: this.#prefix }, { ignore: [404] });
  }

  get #targetsAlias(): string {
    return `${this.#prefix}-targets`;
  }

  async #create(): Promise<string> {
    await this.#client.indices.putIndexTemplate({ name: this.#prefix, ...indexTemplate(this.#prefix) });
    const known = Object.keys(await this.#client.indices.get({ index: `${this.#prefix}-*` }));
    const last = Math.max(0, ...known.map((name) => Number(/-(\d+)$/.exec(name)?.[1] ?? 0)));
    const index = `${this.#prefix}-${String(last + 1).padStart(6, "0")}`;
    const aliases = { [this.#targetsAlias]: {}, [writeAlias(index)]: {} };
    // Somebody else who begins at the same time makes the same one.
    await this.#client.indices.create({ index, aliases }, { ignore: [400] });
    await this.#client.cluster.health({ index, wait_for_status: "yellow", timeout: "30s" });
    return index;
  }

  async #remove(index: string): Promise<void> {
    await this.#client.indices.delete({ index, ignore_unavailable: true });
  }

  async #meta(index: string): Promise<Meta> {
    const mappings = await this.#client.indices.getMapping({ index }, { ignore: [404] });
    return mappings[index]?.mappings._meta ?? {};
  }

  async #under(name: string): Promise<estypes.IndicesGetAliasResponse> {
    try {
      return await this.#client.indices.getAlias({ name });
    } catch (error) {
      if (statusOf(error) === 404) return {};
      throw error;
    }
  }
}

/** The alias by which alone an index is written. */
export function writeAlias(index: string): string {
  return `${index}-writes`;
}
