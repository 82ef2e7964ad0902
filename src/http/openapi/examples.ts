import { type Application, type Chat, type Message, noFields } from "../../records/records.ts";
import type { Accepted } from "../services.ts";

/** The records that the description's examples show, each by the same code that shows a real one. */

export const exampleToken = "Kq3vT7ZP0bWm2sXcYd9uRA";
export const exampleRequestId = "7f0f0f5e-5a0b-4f7a-9a53-0f5ad7a4d2b1";

const createdAt = new Date("2026-01-02T03:04:05.678Z");
const times = { createdAt, updatedAt: createdAt };

export const exampleApplication: Application = { token: exampleToken, name: "Shop", chatsCount: 1, ...times };
export const exampleChat: Chat = { number: 1, title: "Orders", fields: noFields, messagesCount: 1, ...times };
export const exampleMessage: Message = { number: 1, body: "Where is my order?", fields: noFields, ...times };
export const exampleAccepted: Accepted = { number: 1, createdAt, isReplayed: false };

export const exampleMeta = { current_page: 1, per_page: 10, next_page: 2, previous_page: null };
export const exampleKeysetMeta = { per_page: 10, next_after: 1 };
