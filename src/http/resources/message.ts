import { z } from "zod";
import type { Message } from "../../records.ts";
import type { ChatPlace } from "../params.ts";
import type { Accepted } from "../services.ts";
import { filledText } from "../text.ts";
import { recordNumber, timesOf, timesView, timeView, tokenView } from "./common.ts";

/** What a client says of a message. Its greatest size is a setting, so it is checked beside the schema. */
export const messageInput = z.object({
  body: filledText().describe("The message's text, of at most `MESSAGE_MAX_BYTES` bytes in UTF-8."),
});

/** What a client sees of a message. */
export const messageView = z.object({
  number: recordNumber("The message's number within its chat."),
  body: z.string().describe("The message's text."),
  ...timesView,
});

/** What a client is told of a message that was accepted: its number, in the spelling of each older client. */
export const acceptedMessageView = z.object({
  message: z.object({
    number: recordNumber("The message's number within its chat."),
    body: z.string().describe("The message's text."),
    chat_number: recordNumber("The chat's number within its application."),
    application_token: tokenView,
    timestamp: timeView("When the request came."),
  }),
  number: recordNumber("The message's number again."),
  message_number: recordNumber("The message's number again."),
});

export const presentMessage = (message: Message): z.infer<typeof messageView> => ({
  number: message.number,
  body: message.body,
  ...timesOf(message),
});

export const presentAcceptedMessage = (
  { token, chatNumber }: ChatPlace,
  body: string,
  { number, createdAt }: Accepted,
): z.infer<typeof acceptedMessageView> => ({
  message: {
    number,
    body,
    chat_number: chatNumber,
    application_token: token,
    timestamp: createdAt.toISOString(),
  },
  number,
  message_number: number,
});
