import { z } from "zod";
import { chat } from "../../records/fields.ts";
import type { Chat, Content } from "../../records/records.ts";
import type { Accepted } from "../services.ts";
import { fieldInputs, fieldViews, showFields } from "./content.ts";
import { countView, recordNumber, timesOf, timesView, timeView, tokenView } from "./common.ts";

/** What a client says of a chat. */
export const chatInput = z.object({ title: chat.input, ...fieldInputs(chat) });

/** What a client sees of a chat. */
export const chatView = z.object({
  number: recordNumber("The chat's number within its application."),
  title: chat.view,
  ...fieldViews(chat),
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
    ...fieldViews(chat),
  }),
  number: recordNumber("The same number."),
  chat_number: recordNumber("The same number."),
});

export const presentChat = ({
  number,
  title,
  fields,
  messagesCount,
  ...times
}: Chat): z.infer<typeof chatView> => ({
  number,
  title,
  ...showFields(chat, fields),
  messages_count: messagesCount,
  ...timesOf(times),
});

export const presentAcceptedChat = (
  token: string,
  { text, fields }: Content,
  { number, createdAt }: Accepted,
): z.infer<typeof acceptedChatView> => ({
  chat: {
    number,
    application_token: token,
    timestamp: createdAt.toISOString(),
    ...(text !== null && { title: text }),
    ...showFields(chat, fields),
  },
  number,
  chat_number: number,
});
