import { contest } from "./contest.ts";
import type { Server, Turn } from "./servers.ts";
import { median, pairedRatio } from "./statistics.ts";
import { figure, spreadText, type Table } from "./table.ts";

/** One kind of request where there is little, and where there is much. */
export interface Pair {
  readonly name: string;
  readonly few: () => Promise<Turn>;
  readonly many: () => Promise<Turn>;
}

export interface MeasuredPair {
  readonly name: string;
  readonly few: readonly Turn[];
  readonly many: readonly Turn[];
}

/** Measures each pair for itself, both sides by turns, after a turn of each that does not count. */
export async function measurePairs(pairs: readonly Pair[], rounds: number): Promise<MeasuredPair[]> {
  const measured: MeasuredPair[] = [];
  for (const { name, few, many } of pairs) {
    console.log(name);
    const sides = [
      { name: "few", turn: few },
      { name: "many", turn: many },
    ];
    for (const { turn } of sides) await turn();
    const turns = await contest(sides, rounds, ({ turn }) => turn());
    measured.push({ name, few: turns.get("few") ?? [], many: turns.get("many") ?? [] });
  }
  return measured;
}

/** The times of both sides, and how many times the first the second is. */
export function pairsTable(
  title: string,
  sides: readonly [string, string],
  pairs: readonly MeasuredPair[],
): Table {
  const columns = (unit: string) => [`${unit}, ${sides[0]}`, sides[1], "times"];
  return {
    title,
    head: [...columns("p50 ms"), ...columns("p99 ms"), ...columns("CPU µs")],
    rows: pairs.map(({ name, few, many }) => {
      const compare = (of: (turn: Turn) => number) => {
        const [less, more] = [few.map(of), many.map(of)];
        return [figure(median(less)), figure(median(more)), spreadText(pairedRatio(more, less))];
      };
      const cpu = ({ cpuUs: { node, redis, mysql } }: Turn) => node + redis + mysql;
      return [name, ...compare(({ p50Ms }) => p50Ms), ...compare(({ p99Ms }) => p99Ms), ...compare(cpu)];
    }),
  };
}

/** Turns of one kind of request to a server. */
export function turns(
  server: Server,
  load: { readonly method: "GET" | "POST"; readonly pathsFile: string; readonly body?: string },
  { connections, seconds }: { readonly connections: number; readonly seconds: number },
): () => Promise<Turn> {
  return () => server.load({ ...load, connections, seconds });
}
