import { z } from "zod";
import { keysetMeta, pageMeta } from "../pagination.ts";
import { problemView } from "../problem.ts";
import { applicationInput, applicationView } from "../resources/application.ts";
import { acceptedChatView, chatInput, chatView } from "../resources/chat.ts";
import { deletedView } from "../resources/common.ts";
import { readinessView, livenessView } from "../resources/health.ts";
import { acceptedMessageView, messageInput, messageView } from "../resources/message.ts";
import { searchView } from "../resources/search.ts";

/**
 * The schemas that validate and type what goes in and out, under the names the description gives them.
 */

const inputs = {
  ApplicationInput: applicationInput,
  ChatInput: chatInput,
  MessageInput: messageInput,
};

const answers = {
  Application: applicationView,
  ApplicationList: z.object({ applications: z.array(applicationView), meta: pageMeta }),
  AcceptedChat: acceptedChatView,
  Chat: chatView,
  ChatList: z.object({ chats: z.array(chatView), meta: z.union([pageMeta, keysetMeta]) }),
  AcceptedMessage: acceptedMessageView,
  Message: messageView,
  MessageList: z.object({ messages: z.array(messageView), meta: z.union([pageMeta, keysetMeta]) }),
  FoundMessages: searchView,
  PageMeta: pageMeta,
  KeysetMeta: keysetMeta,
  Deleted: deletedView,
  Liveness: livenessView,
  Readiness: readinessView,
  Problem: problemView,
};

export type InputName = keyof typeof inputs;
export type AnswerName = keyof typeof answers;

/** A JSON Schema, or any other part of the document that is written down as it is. */
export type Json = Readonly<Record<string, unknown>>;

export const schemaRef = (name: InputName | AnswerName): Json => ({ $ref: uriOf(name) });

/** `components.schemas` of the document. */
export const componentSchemas = (): Record<string, Json> => ({
  ...jsonSchemas(inputs, "input"),
  ...jsonSchemas(answers, "output"),
});

/** The JSON Schema of each member of a query, as its values are once read. */
export function parameterSchemas(query: z.ZodObject): Readonly<Record<string, Json>> {
  return (z.toJSONSchema(query, { io: "output" }).properties ?? {}) as Record<string, Json>;
}

const uriOf = (name: string) => `#/components/schemas/${name}`;

function jsonSchemas(schemas: Readonly<Record<string, z.ZodType>>, io: "input" | "output") {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const made = z.toJSONSchema(registry, { io, uri: uriOf }).schemas;
  const named = Object.entries(made).map(([name, schema]) => [name, withoutIdentity(schema)] as const);
  return Object.fromEntries(named);
}

/** A schema inside the document has neither a dialect nor an address of its own. */
const withoutIdentity = (schema: object): Json =>
  Object.fromEntries(Object.entries(schema).filter(([name]) => name !== "$schema" && name !== "$id"));
