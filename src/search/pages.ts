import type { MessageKey, MessageText } from "./documents.ts";
import type { Messages } from "./ports.ts";

const tokensAtOnce = 1000;

/** The tokens of all applications above one, or from it on, in order. */
export async function* tokensFrom(
  messages: Messages,
  from: string,
  isFromIncluded: boolean,
): AsyncGenerator<string> {
  if (isFromIncluded) yield from;
  for (let after = from; ;) {
    const tokens = await messages.tokens(after, tokensAtOnce);
    yield* tokens;
    const last = tokens.at(-1);
    if (last === undefined) return;
    after = last;
  }
}

/** All messages beyond one in the order of their keys, in pages that go across chats and applications. */
export async function* pagesBeyond(
  messages: Messages,
  position: MessageKey | undefined,
  pageSize: number,
): AsyncGenerator<readonly MessageText[]> {
  let page: MessageText[] = [];
  for await (const token of tokensFrom(messages, position?.token ?? "", position !== undefined)) {
    let after = token === position?.token ? position : { chatNumber: 0, number: 0 };
    for (;;) {
      const wanted = pageSize - page.length;
      const found = await messages.page(token, after, wanted);
      page.push(...found);
      after = found.at(-1) ?? after;
      if (page.length === pageSize) {
        yield page;
        page = [];
      }
      if (found.length < wanted) break;
    }
  }
  if (page.length > 0) yield page;
}
