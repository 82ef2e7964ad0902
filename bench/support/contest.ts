/**
 * Gives each contestant a turn in each round, another one first each time, so that what a machine does besides
 * falls on all of them alike. Answers each one's measurements by round.
 */
export async function contest<C extends { readonly name: string }, T>(
  contestants: readonly C[],
  rounds: number,
  turn: (contestant: C, round: number) => Promise<T>,
  say: (line: string) => void = console.log,
): Promise<Map<string, T[]>> {
  const measured = new Map<string, T[]>(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    const first = round % contestants.length;
    for (const contestant of [...contestants.slice(first), ...contestants.slice(0, first)]) {
      measured.get(contestant.name)?.push(await turn(contestant, round));
    }
    say(`round ${round + 1} of ${rounds} is done`);
  }
  return measured;
}

/** One figure of each measurement of a contestant. @throws where there is no such contestant */
export function each<T>(
  measured: ReadonlyMap<string, T[]>,
  name: string,
  figure: (one: T) => number,
): number[] {
  const all = measured.get(name);
  if (!all) throw new Error(`there is no contestant ${name}`);
  return all.map(figure);
}
