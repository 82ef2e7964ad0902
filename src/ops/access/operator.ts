/** Who uses the dashboard, and how that is known. */
export interface Operator {
  readonly who: string;
  /** The address they came from. */
  readonly from: string;
  /** "session": signed in. "basic": sent name and password along. "loopback": on this machine, none are set. */
  readonly via: "session" | "basic" | "loopback";
  /** What every form must carry; no other site can know it. */
  readonly formToken: string;
  /** Whether they still may; asked while a connection stays open. */
  isStillIn(): boolean;
}
