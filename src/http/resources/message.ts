import { z } from "zod";
import { message } from "../../records/fields.ts";
import type { Content, Message } from "../../records/records.ts";
import type { ChatPlace } from "../params.ts";
import type { Accepted } from "../services.ts";
import { fieldInputs, fieldViews, showFields } from "./content.ts";
import { recordNumber, timesOf, timesView, timeView, tokenView } from "./common.ts";

/** What a client says of a message. */
export const messageInput = z.object({ body: message.input, ...fieldInputs(message) });

/** What a client sees of a message. */
export const messageView = z.object({
  number: recordNumber("The message's number within its chat."),
  body: message.view,
  ...fieldViews(message),
  ...timesView,
});

/** What a client is told of a message that was accepted: its number, in the spelling of each older client. */
export const acceptedMessageView = z.object({
  message: z.object({
    number: recordNumber("The message's number within its chat."),
    body: message.view,
    ...fieldViews(message),
    chat_number: recordNumber("The chat's number within its application."),
    application_token: tokenView,
    timestamp: timeView("When the request came."),
  }),
  number: recordNumber("The message's number again."),
  message_number: recordNumber("The message's number again."),
});

export const presentMessage = ({ number, body, fields, ...times }: Message): z.infer<typeof messageView> => ({
  number,
  body,
  ...showFields(message, fields),
  ...timesOf(times),
});

export const presentAcceptedMessage = (
  { token, chatNumber }: ChatPlace,
  { text, fields }: Content,
  { number, createdAt }: Accepted,
): z.infer<typeof acceptedMessageView> => ({
  message: {
    number,
    body: text ?? "",
    ...showFields(message, fields),
    chat_number: chatNumber,
    application_token: token,
    timestamp: createdAt.toISOString(),
  },
  number,
  message_number: number,
});
