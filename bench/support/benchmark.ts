import type { Table } from "./table.ts";

/** A number, or several with commas between, that a benchmark can be told. */
export interface Option {
  readonly about: string;
  readonly value: string;
}

/** What a run of a benchmark has found. */
export interface Findings {
  /** What was done, in sentences: what a reader must know to judge the tables. */
  readonly conditions: string;
  readonly tables: readonly Table[];
  /** Every single measurement, for whoever wants to compute something else. */
  readonly figures: unknown;
}

export interface Benchmark {
  readonly name: string;
  readonly about: string;
  readonly options: Readonly<Record<string, Option>>;
  run(settings: Settings): Promise<Findings>;
}

/** The options of one run, each as it was told or by default. */
export class Settings {
  readonly values: Readonly<Record<string, string>>;

  /** @throws {RangeError} where a value is no list of whole numbers */
  constructor(values: Readonly<Record<string, string>>) {
    for (const [name, value] of Object.entries(values))
      if (!/^\d+(,\d+)*$/.test(value)) throw new RangeError(`--${name} must be whole numbers: ${value}`);
    this.values = values;
  }

  /** @throws {RangeError} where it is not one number */
  number(name: string): number {
    const [first, ...others] = this.numbers(name);
    if (first === undefined || others.length > 0) throw new RangeError(`--${name} must be one number`);
    return first;
  }

  /** @throws {RangeError} where there is no such option */
  numbers(name: string): number[] {
    const value = this.values[name];
    if (value === undefined) throw new RangeError(`there is no option --${name}`);
    return value.split(",").map(Number);
  }
}
