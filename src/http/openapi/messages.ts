import {
  applicationNotFound,
  applicationUnknown,
  bodyRequired,
  bufferFull,
  bufferUnavailable,
  chatNotFound,
  chatUnknown,
  databaseUnavailable,
  invalidFields,
  invalidParameter,
  messageNotFound,
  searchUnavailable,
  upgradeUnderWay,
} from "../../errors.ts";
import { pageQuery } from "../pagination.ts";
import { deleted } from "../resources/common.ts";
import { presentAcceptedMessage, presentMessage } from "../resources/message.ts";
import { searchQuery } from "../routes/search.ts";
import { exampleAccepted, exampleKeysetMeta, exampleMessage, exampleMeta, exampleToken } from "./examples.ts";
import type { Body, Operation } from "./operation.ts";

const tag = "Messages";
const collection = "/applications/:token/chats/:number/messages";
const member = `${collection}/:message_number`;

const newText = exampleMessage.body;
const changedText = "Where is my parcel?";

const bodyWith = (text: string): Body => ({
  wrapper: "message",
  schema: "MessageInput",
  isRequired: true,
  example: { body: text },
});

const one = (body: string) => ({
  schema: "Message" as const,
  examples: { message: presentMessage({ ...exampleMessage, body }) },
});

const accepted = presentAcceptedMessage(
  { token: exampleToken, chatNumber: 1 },
  { text: newText, fields: exampleMessage.fields },
  exampleAccepted,
);
const unavailable = [bufferUnavailable(), databaseUnavailable(), upgradeUnderWay()];
const chatMissing = [applicationNotFound(exampleToken), chatNotFound(1)];
const missing = [...chatMissing, messageNotFound(1)];

const update = {
  path: member,
  tag,
  body: bodyWith(changedText),
  success: { status: 200, description: "The message as it is now.", content: one(changedText) },
  errors: [...missing, invalidFields({ body: ["can't be blank"] }), bufferFull(), ...unavailable],
} as const;

export const messageOperations: readonly Operation[] = [
  {
    method: "post",
    path: collection,
    id: "createMessage",
    tag,
    summary: "Accept a message",
    description: "Numbers it and keeps it at once; it is written to the database soon after.",
    body: bodyWith(newText),
    takesIdempotencyKey: true,
    success: {
      status: 201,
      description: "The message is kept, under this number.",
      headers: ["Location"],
      next: {
        id: "getMessage",
        parameters: {
          token: "$request.path.token",
          number: "$request.path.number",
          message_number: "$response.body#/number",
        },
      },
      content: { schema: "AcceptedMessage", examples: { accepted } },
    },
    errors: [
      bodyRequired(),
      applicationUnknown(exampleToken),
      chatUnknown(exampleToken, 1),
      bufferFull(),
      ...unavailable,
    ],
  },
  {
    method: "get",
    path: collection,
    id: "listMessages",
    tag,
    summary: "List a chat's messages",
    query: pageQuery,
    success: {
      status: 200,
      description: "One page of messages.",
      headers: ["Link"],
      content: {
        schema: "MessageList",
        examples: {
          page: { messages: [presentMessage(exampleMessage)], meta: exampleMeta },
          after: { messages: [presentMessage(exampleMessage)], meta: exampleKeysetMeta },
        },
      },
    },
    errors: [invalidParameter("order", "must be asc or desc, given once"), ...chatMissing, ...unavailable],
  },
  {
    method: "get",
    path: `${collection}/search`,
    id: "searchMessages",
    tag,
    summary: "Search a chat's messages",
    description:
      "Finds messages that hold every word of the query, also inside a word, whatever its case and accents; the " +
      "query as a whole comes first, then whole words, then words that begin so, then the rest, each by number. " +
      "A message is found as soon as it has its 201. No character of a query is syntax.",
    query: searchQuery,
    success: {
      status: 200,
      description: "One page of matches, the best first.",
      headers: ["Link"],
      content: {
        schema: "FoundMessages",
        examples: {
          found: {
            messages: [presentMessage(exampleMessage)],
            meta: { ...exampleMeta, engine: "elasticsearch", degraded: false },
          },
        },
      },
    },
    errors: [
      invalidParameter("query", "is required: the words to search for"),
      ...chatMissing,
      ...unavailable,
      searchUnavailable(),
    ],
  },
  {
    method: "get",
    path: member,
    id: "getMessage",
    tag,
    summary: "Read a message",
    success: { status: 200, description: "The message.", content: one(newText) },
    errors: [...missing, ...unavailable],
  },
  { method: "put", id: "replaceMessage", summary: "Change a message's text", ...update },
  { method: "patch", id: "updateMessage", summary: "Change a message's text, with PATCH", ...update },
  {
    method: "delete",
    path: member,
    id: "deleteMessage",
    tag,
    summary: "Delete a message",
    description: "Its number is not given again.",
    success: {
      status: 200,
      description: "It is gone, for every reader at once.",
      content: { schema: "Deleted", examples: { deleted } },
    },
    errors: [...missing, bufferFull(), ...unavailable],
  },
];
