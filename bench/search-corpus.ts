import { Random } from "../test/support/random.ts";

/**
 * Chat messages as they might be: words of made-up languages whose frequencies fall as in real ones, some
 * addresses, emoji and code; one message in ten is not ASCII alone.
 */
export function corpus(count: number): string[] {
  const random = new Random(20_260_101);
  const latin = vocabulary(random, 8000, "abcdefghijklmnopqrstuvwxyz", "aeiou");
  const other = vocabulary(random, 4000, "абвгдежзиклмнопрстуфхцчшщыэюя", "аеиоуыэюя");
  return Array.from({ length: count }, () => {
    const words = random.integer(1, 10) === 1 ? other : latin;
    const text = Array.from({ length: random.integer(2, 24) }, () => zipf(random, words)).join(" ");
    const end = random.integer(1, 20);
    if (end === 1)
      return `${text} https://example.com/${zipf(random, latin)}/${random.integer(1, 1e6)}?q=${end}`;
    if (end === 2) return `${text} 👍`;
    return end === 3 ? `${text} user_${zipf(random, latin)}(${random.integer(0, 99)});` : text;
  });
}

/** What people might look for in such messages: words, starts of words, insides, two words. */
export function queries(bodies: readonly string[], count: number): string[] {
  const random = new Random(7);
  return Array.from({ length: count }, (_, at) => {
    const words = (random.pick(bodies) ?? "").split(" ");
    const first = random.pick(words) ?? "";
    const kinds = [first, first.slice(0, 4), first.slice(1, 5), `${first} ${random.pick(words) ?? ""}`];
    const text = kinds[at % kinds.length] ?? first;
    return text === "" ? first : text;
  });
}

function vocabulary(random: Random, size: number, letters: string, vowels: string): string[] {
  const any = (from: string) => random.pick(Array.from(from)) ?? "";
  return Array.from({ length: size }, () =>
    Array.from({ length: random.integer(1, 4) }, () => any(letters) + any(vowels) + any(letters)).join(""),
  );
}

/** The word of rank r about once for every r times of the first. */
function zipf(random: Random, words: readonly string[]): string {
  return words[Math.floor(words.length ** random.next()) - 1] ?? "";
}
