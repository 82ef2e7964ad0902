import { z } from "zod";
import type { Chat } from "../../records.ts";
import type { Accepted } from "../services.ts";
import { shortText } from "../text.ts";
import { countView, recordNumber, timesOf, timesView, timeView, tokenView } from "./common.ts";

const maxTitleCharacters = 255;

/** What a client says of a chat. */
export const chatInput = z.object({
  title: shortText(maxTitleCharacters)
    .nullish()
    .describe("The chat's title. Left out, it stays as it is; null removes it."),
});

/** What a client sees of a chat. */
export const chatView = z.object({
  number: recordNumber("The chat's number within its application."),
  title: z.string().nullable().describe("The chat's title, or null."),
  messages_count: countView("How many messages it has."),
  ...timesView,
});

/** What a client is told of a chat that was accepted: its number, in the spelling of each older client. */
export const acceptedChatView = z.object({
  chat: z.object({
    number: recordNumber("The chat's number within its application."),
    application_token: tokenView,
    timestamp: timeView("When the request came."),
    title: z.string().optional().describe("The chat's title, where it was given one."),
  }),
  number: recordNumber("The same number."),
  chat_number: recordNumber("The same number."),
});

export const presentChat = (chat: Chat): z.infer<typeof chatView> => ({
  number: chat.number,
  title: chat.title,
  messages_count: chat.messagesCount,
  ...timesOf(chat),
});

export const presentAcceptedChat = (
  token: string,
  title: string | null,
  { number, createdAt }: Accepted,
): z.infer<typeof acceptedChatView> => ({
  chat: {
    number,
    application_token: token,
    timestamp: createdAt.toISOString(),
    ...(title !== null && { title }),
  },
  number,
  chat_number: number,
});
