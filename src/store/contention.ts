import { classify } from "./failure.ts";

const attempts = 10;

/** Repeats a write that met other transactions. @throws what it throws else, or in the end */
export async function throughContention<T>(write: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await write();
    } catch (error) {
      if (classify(error) !== "contention" || attempt === attempts) throw error;
    }
  }
}
