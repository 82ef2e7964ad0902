import { html } from "../html.ts";
import type { Refusal } from "../refusal.ts";
import { barePage } from "./layout.ts";

/** Asks for name and password; `to` is where it leads then. */
export function signInPage(to: string, wasWrong: boolean): string {
  return barePage(
    "Sign in",
    html`<h1>Sluice operators</h1>
      ${wasWrong ? html`<p class="notice bad" role="alert">Name or password is wrong.</p>` : undefined}
      <form method="post" action="/ops/sign-in" class="stack">
        <input type="hidden" name="to" value="${to}" />
        <label for="username">Name</label>
        <input id="username" name="username" autocomplete="username" required autofocus />
        <label for="password">Password</label>
        <input id="password" name="password" type="password" autocomplete="current-password" required />
        <button>Sign in</button>
      </form>`,
  );
}

/** Says why not. */
export function refusalPage({ message, remedy }: Pick<Refusal, "message" | "remedy">): string {
  return barePage(
    "Not done",
    html`<h1>${message}</h1>
      <p>${remedy}</p>
      <p><a href="/ops">To the dashboard</a></p>`,
  );
}
