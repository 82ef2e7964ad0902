import { z } from "zod";
import type { Application } from "../../records/records.ts";
import { filledShortText } from "../../records/text.ts";
import { countView, timesOf, timesView, tokenView } from "./common.ts";

const maxNameCharacters = 255;

/** What a client says of an application. */
export const applicationInput = z.object({
  name: filledShortText(maxNameCharacters).describe("The application's name."),
});

/** What a client sees of an application; `chat_count` is the other spelling of the same. */
export const applicationView = z.object({
  name: z.string().describe("The application's name."),
  token: tokenView,
  chats_count: countView("How many chats it has."),
  chat_count: countView("The same as `chats_count`."),
  ...timesView,
});

export const presentApplication = (application: Application): z.infer<typeof applicationView> => ({
  name: application.name,
  token: application.token,
  chats_count: application.chatsCount,
  chat_count: application.chatsCount,
  ...timesOf(application),
});
