/** What an application holds, kept as plainly as can be: the truth that Sluice is compared with. */
export class Model {
  readonly chats = new Map<number, ModelChat>();
  /** The greatest number a chat was given. */
  lastChat = 0;

  postChat(title: string | null): number {
    this.lastChat += 1;
    this.chats.set(this.lastChat, new ModelChat(title));
    return this.lastChat;
  }

  listChats(): { number: number; text: string | null }[] {
    return [...this.chats].map(([number, chat]) => ({ number, text: chat.title }));
  }
}

export class ModelChat {
  title: string | null;
  readonly messages = new Map<number, string>();
  #lastMessage = 0;

  constructor(title: string | null) {
    this.title = title;
  }

  postMessage(body: string): number {
    this.#lastMessage += 1;
    this.messages.set(this.#lastMessage, body);
    return this.#lastMessage;
  }

  listMessages(): { number: number; text: string | null }[] {
    return [...this.messages].map(([number, text]) => ({ number, text }));
  }
}
