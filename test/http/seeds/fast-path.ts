import type { Rows } from "./row.ts";
import { anything, inV1, noSuch } from "./row.ts";

const aTime = { created_at: anything, updated_at: anything };
const meta = { current_page: 1, per_page: 10, next_page: null, previous_page: null };
const deleted = () => ({ message: "Deleted successfully" });
const cantFind = (what: string) => () => ({ error: `Can't find ${what}` });
const anApp = (name: string) => () => ({ name, token: anything, chats_count: anything, ...aTime });
const aChat = { number: 1, messages_count: anything, ...aTime };
const aMessage = { number: 1, body: "hi", ...aTime };
const noApplication = cantFind(`an Application with token ${noSuch}`);

/** What the README of the API in front of a fast path shows: the richest of the five. */
export const fastPathRows: Rows = {
  "list applications": {
    verb: "GET",
    path: inV1("?page=1&per_page=10"),
    status: 200,
    shows: () => ({ applications: [anApp("Shop")()], meta }),
  },
  "list applications, second page": {
    verb: "GET",
    path: inV1("?page=2&per_page=20"),
    status: 200,
    shows: () => ({
      applications: [],
      meta: { current_page: 2, per_page: 20, next_page: null, previous_page: 1 },
    }),
  },
  "create an application": {
    verb: "POST",
    path: inV1(""),
    body: { application: { name: "My Application" } },
    status: 201,
    shows: anApp("My Application"),
  },
  "create an application without a name": {
    verb: "POST",
    path: inV1(""),
    body: { application: { name: "" } },
    status: 422,
    shows: () => ({ errors: { name: ["can't be blank"] } }),
  },
  "get an application": { verb: "GET", path: inV1("/:token"), status: 200, shows: anApp("Shop") },
  "get no application": { verb: "GET", path: inV1(`/${noSuch}`), status: 404, shows: noApplication },
  "update an application": {
    verb: "PUT",
    path: inV1("/:token"),
    body: { application: { name: "Updated Name" } },
    status: 200,
    shows: anApp("Updated Name"),
  },
  "update an application to no name": {
    verb: "PUT",
    path: inV1("/:token"),
    body: { application: { name: "" } },
    status: 422,
    shows: () => ({ errors: { name: ["can't be blank"] } }),
  },
  "delete an application": { verb: "DELETE", path: inV1("/:token"), status: 200, shows: deleted },
  // That README has "a Application" here and "an Application" elsewhere; there is one sentence for all.
  "delete no application": { verb: "DELETE", path: inV1(`/${noSuch}`), status: 404, shows: noApplication },
  "create a chat": {
    verb: "POST",
    path: inV1("/:token/chats"),
    status: 201,
    shows: ({ token }) => ({ chat: { number: 2, application_token: token, timestamp: anything } }),
  },
  "create a chat in no application": {
    verb: "POST",
    path: inV1(`/${noSuch}/chats`),
    status: 404,
    shows: () => ({ error: `Application with token ${noSuch} not found` }),
  },
  "list chats": {
    verb: "GET",
    path: inV1("/:token/chats"),
    status: 200,
    shows: () => ({ chats: [aChat], meta }),
  },
  "list the chats of no application": {
    verb: "GET",
    path: inV1(`/${noSuch}/chats`),
    status: 404,
    shows: noApplication,
  },
  "get a chat": { verb: "GET", path: inV1("/:token/chats/1"), status: 200, shows: () => aChat },
  "get no chat": {
    verb: "GET",
    path: inV1("/:token/chats/9"),
    status: 404,
    shows: cantFind("a Chat with number 9"),
  },
  "delete a chat": { verb: "DELETE", path: inV1("/:token/chats/1"), status: 200, shows: deleted },
  "delete no chat": {
    verb: "DELETE",
    path: inV1("/:token/chats/9"),
    status: 404,
    shows: cantFind("a Chat with number 9"),
  },
  "create a message": {
    verb: "POST",
    path: inV1("/:token/chats/1/messages"),
    body: { message: { body: "Hello, this is a test message" } },
    status: 201,
    shows: ({ token }) => ({
      message: {
        number: 2,
        body: "Hello, this is a test message",
        chat_number: 1,
        application_token: token,
        timestamp: anything,
      },
    }),
  },
  "create a message without a body": {
    verb: "POST",
    path: inV1("/:token/chats/1/messages"),
    body: {},
    status: 400,
    shows: () => ({ error: "Invalid request body: body is required" }),
  },
  "create a message in no chat": {
    verb: "POST",
    path: inV1("/:token/chats/9/messages"),
    body: { message: { body: "Hello" } },
    status: 404,
    shows: ({ token }) => ({ error: `Chat 9 not found for application ${token}` }),
  },
  "list messages": {
    verb: "GET",
    path: inV1("/:token/chats/1/messages"),
    status: 200,
    shows: () => ({ messages: [aMessage], meta }),
  },
  "list the messages of no application": {
    verb: "GET",
    path: inV1(`/${noSuch}/chats/1/messages`),
    status: 404,
    shows: noApplication,
  },
  "list the messages of no chat": {
    verb: "GET",
    path: inV1("/:token/chats/9/messages"),
    status: 404,
    shows: cantFind("a Chat with number 9"),
  },
  "get a message": {
    verb: "GET",
    path: inV1("/:token/chats/1/messages/1"),
    status: 200,
    shows: () => aMessage,
  },
  "get no message": {
    verb: "GET",
    path: inV1("/:token/chats/1/messages/9"),
    status: 404,
    shows: cantFind("a Message with number 9"),
  },
  "update a message": {
    verb: "PUT",
    path: inV1("/:token/chats/1/messages/1"),
    body: { message: { body: "Updated message body" } },
    status: 200,
    shows: () => ({ ...aMessage, body: "Updated message body" }),
  },
  "update a message to nothing": {
    verb: "PUT",
    path: inV1("/:token/chats/1/messages/1"),
    body: { message: { body: "" } },
    status: 422,
    shows: () => ({ errors: { body: ["can't be blank"] } }),
  },
  "delete a message": {
    verb: "DELETE",
    path: inV1("/:token/chats/1/messages/1"),
    status: 200,
    shows: deleted,
  },
  "delete no message": {
    verb: "DELETE",
    path: inV1("/:token/chats/1/messages/9"),
    status: 404,
    shows: cantFind("a Message with number 9"),
  },
  "search messages": {
    verb: "GET",
    path: inV1("/:token/chats/1/messages/search?query=HI&page=1&per_page=20"),
    status: 200,
    shows: () => ({ messages: [aMessage], meta: { ...meta, per_page: 20 } }),
  },
  "search messages in no application": {
    verb: "GET",
    path: inV1(`/${noSuch}/chats/1/messages/search?query=hello`),
    status: 404,
    shows: noApplication,
  },
  "search messages in no chat": {
    verb: "GET",
    path: inV1("/:token/chats/9/messages/search?query=hello"),
    status: 404,
    shows: cantFind("a Chat with number 9"),
  },
};
