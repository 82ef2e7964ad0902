import type { Rows } from "./row.ts";
import { anything, bare, inV1, noSuch } from "./row.ts";

const foundHi = () => ({ messages: [{ number: 1, body: "hi" }] });

/** What the READMEs of the other four show. */
export const otherRows: Readonly<Record<string, Rows>> = {
  "the API with queues and thresholds": {
    "search messages": {
      verb: "GET",
      path: bare("/:token/chats/1/messages/search?q=hi"),
      status: 200,
      shows: foundHi,
    },
    "list applications": { verb: "GET", path: bare(""), status: 200 },
    "create an application": { verb: "POST", path: bare(""), body: { name: "My App" }, status: 201 },
    "get an application": { verb: "GET", path: bare("/:token"), status: 200 },
    "update an application": { verb: "PUT", path: bare("/:token"), body: { name: "Other" }, status: 200 },
    "list chats": { verb: "GET", path: bare("/:token/chats"), status: 200 },
    "create a chat": { verb: "POST", path: bare("/:token/chats"), status: 201 },
    "get a chat": { verb: "GET", path: bare("/:token/chats/1"), status: 200 },
    "list messages": { verb: "GET", path: bare("/:token/chats/1/messages"), status: 200 },
    "create a message": {
      verb: "POST",
      path: bare("/:token/chats/1/messages"),
      body: { body: "Hello" },
      status: 201,
    },
    "get a message": { verb: "GET", path: bare("/:token/chats/1/messages/1"), status: 200 },
    "update a message": {
      verb: "PUT",
      path: bare("/:token/chats/1/messages/1"),
      body: { body: "Other" },
      status: 200,
    },
  },
  "the API with a worker for each record": {
    "search messages": {
      verb: "GET",
      path: bare("/:token/chats/1/messages/search?q=hi"),
      status: 200,
      shows: foundHi,
    },
    "create an application": {
      verb: "POST",
      path: bare(""),
      body: { name: "My App" },
      status: 201,
      shows: () => ({ token: anything }),
    },
    "list applications": { verb: "GET", path: bare(""), status: 200 },
    "get an application": { verb: "GET", path: bare("/:token"), status: 200 },
    "update an application": { verb: "PUT", path: bare("/:token"), body: { name: "Other" }, status: 200 },
    "create a chat": {
      verb: "POST",
      path: bare("/:token/chats"),
      status: 201,
      shows: () => ({ number: 2 }),
    },
    "list chats": { verb: "GET", path: bare("/:token/chats"), status: 200 },
    "get a chat's statistics": {
      verb: "GET",
      path: bare("/:token/chats/1"),
      status: 200,
      shows: () => ({ messages_count: anything }),
    },
    "create a message": {
      verb: "POST",
      path: bare("/:token/chats/1/messages"),
      body: { body: "Hello" },
      status: 201,
      shows: () => ({ number: 2 }),
    },
    "list messages": { verb: "GET", path: bare("/:token/chats/1/messages"), status: 200 },
    "get a message": { verb: "GET", path: bare("/:token/chats/1/messages/1"), status: 200 },
  },
  // Its README lists what can be done with each record and leaves the requests to a page elsewhere.
  "the API with a message queue": {
    "search messages": {
      verb: "GET",
      path: bare("/:token/chats/1/messages/search?q=hi"),
      status: 200,
      shows: foundHi,
    },
    "create an application": { verb: "POST", path: bare(""), body: { name: "My App" }, status: 201 },
    "read an application": { verb: "GET", path: bare("/:token"), status: 200 },
    "update an application": { verb: "PUT", path: bare("/:token"), body: { name: "Other" }, status: 200 },
    "create a chat": { verb: "POST", path: bare("/:token/chats"), status: 201 },
    "read a chat": { verb: "GET", path: bare("/:token/chats/1"), status: 200 },
    "update a chat": {
      verb: "PUT",
      path: bare("/:token/chats/1"),
      body: { title: "Orders" },
      status: 200,
      shows: () => ({ number: 1, title: "Orders" }),
    },
    "create a message": {
      verb: "POST",
      path: bare("/:token/chats/1/messages"),
      body: { body: "Hello" },
      status: 201,
    },
    "read a message": { verb: "GET", path: bare("/:token/chats/1/messages/1"), status: 200 },
    "update a message": {
      verb: "PUT",
      path: bare("/:token/chats/1/messages/1"),
      body: { body: "Other" },
      status: 200,
    },
  },
  "the API with services and jobs": {
    "search messages": {
      verb: "GET",
      path: inV1("/:token/chats/1/messages/search?query=hi"),
      status: 200,
      shows: foundHi,
    },
    "create an application": {
      verb: "POST",
      path: inV1(""),
      body: { name: "application_name" },
      status: 201,
      shows: () => ({ token: anything }),
    },
    "get an application": {
      verb: "GET",
      path: inV1("/:token"),
      status: 200,
      shows: ({ token }) => ({ name: "Shop", token, chat_count: anything }),
    },
    "get no application": { verb: "GET", path: inV1(`/${noSuch}`), status: 404 },
    "update an application": {
      verb: "PUT",
      path: inV1("/:token"),
      body: { name: "new_application_name" },
      status: 200,
      shows: () => ({ name: "new_application_name" }),
    },
    "create a chat": {
      verb: "POST",
      path: inV1("/:token/chats"),
      status: 201,
      shows: () => ({ chat_number: 2 }),
    },
    "create a chat in no application": { verb: "POST", path: inV1(`/${noSuch}/chats`), status: 404 },
    "list chats": { verb: "GET", path: inV1("/:token/chats"), status: 200 },
    "create a message": {
      verb: "POST",
      path: inV1("/:token/chats/1/messages"),
      body: { body: "MessageContent" },
      status: 201,
      shows: () => ({ message_number: 2 }),
    },
    "create a message without a body": { verb: "POST", path: inV1("/:token/chats/1/messages"), status: 400 },
    "list messages": { verb: "GET", path: inV1("/:token/chats/1/messages"), status: 200 },
  },
};
