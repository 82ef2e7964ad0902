/**
 * What clients were told, and what must therefore be so. It knows nothing of how Sluice works. Each operation has an
 * interval, and an answer is right if it would be at some moment within. What a loss has left is told to it;
 * that no number is given twice holds whatever is lost.
 */
import { type Interval, type Left, type Moment, type OpenPost, RecordModel, type Write } from "./record.ts";

export interface Problem {
  /** The same for faults of one kind. */
  readonly kind: string;
  readonly text: string;
}

/** An operation that a client has begun. */
export interface Begun {
  readonly id: string;
  readonly from: Moment;
  /** Losses there had been. */
  readonly losses: number;
}

/** A record as a list or the store shows it. */
export interface Shown {
  readonly number: number;
  readonly text: string | null;
}

export class Model {
  readonly problems: Problem[] = [];
  readonly applications = new Map<string, RecordModel>();
  #now: Moment = 0;
  /** What was lost, in its order. */
  readonly #losses: string[] = [];
  /** Whether something was lost in a way after which what is accepted may go with its parent. */
  #mayGoWithParent = false;

  /** A moment later than all before. */
  tick(): Moment {
    this.#now += 1;
    return this.#now;
  }

  begin(id: string): Begun {
    return { id, from: this.tick(), losses: this.#losses.length };
  }

  /** Notes a problem; after a loss it is one of another kind. */
  report(kind: string, text: string): void {
    const [first, second] = this.#losses;
    const after = second === undefined ? first : "several losses";
    this.problems.push({ kind: after === undefined ? kind : `${kind}, after ${after}`, text });
  }

  /** Something was lost that will be noticed: of each record `leftOf` says what is left, where that can be known. */
  keep(what: string, leftOf: (record: RecordModel) => Left | undefined): void {
    this.#lost(what);
    // Two moments: whatever was acknowledged by now was so before.
    this.tick();
    const at = this.tick();
    for (const record of this.#all()) {
      // Of a number that was only guessed nothing is known.
      if (!record.isKnown) continue;
      const left = leftOf(record);
      if (left) record.keep(left, at);
      else record.doubt();
    }
  }

  /** What came back with an older copy has been dropped by now, where it is no more. */
  forgetOlder(): void {
    for (const record of this.#all()) record.left = undefined;
  }

  #lost(what: string): void {
    this.#losses.push(what);
    for (const record of this.#all()) record.provenFrom = Infinity;
  }

  /**
   * Something was lost: only what `isKept` says is as it was. Where nobody can notice, the numbers of what was lost may
   * be given again; there, and where MySQL has forgotten a parent, what is accepted beneath it may go as well.
   */
  lose(
    what: string,
    isKept: (record: RecordModel) => boolean,
    { isNoticeable, isOfMysql }: { isNoticeable: boolean; isOfMysql: boolean },
  ): void {
    this.#lost(what);
    this.#mayGoWithParent ||= !isNoticeable || isOfMysql;
    for (const application of this.applications.values()) this.#loseBeneath(application, true, isKept);
    if (isNoticeable) return;
    for (const record of this.#all()) {
      for (const number of record.given.keys())
        if (!record.children.get(number)?.isSettled) record.forgiven.add(number);
      record.numbered.splice(0);
    }
  }

  *#all(): Generator<RecordModel> {
    for (const application of this.applications.values()) yield* application.all();
  }

  #loseBeneath(record: RecordModel, isParentKept: boolean, isKept: (record: RecordModel) => boolean): void {
    const isRecordKept = isParentKept && isKept(record);
    if (!isRecordKept) record.doubt();
    for (const child of record.children.values()) this.#loseBeneath(child, isRecordKept, isKept);
  }

  intervalOf({ from }: Begun): Interval {
    return { from, to: this.#now };
  }

  application(token: string, name: string, begun: Begun): RecordModel {
    const known = this.applications.get(token);
    if (known) return known;
    const record = new RecordModel(token, 0);
    this.applications.set(token, record);
    record.writes.push(this.#acknowledged("create", name, begun));
    return record;
  }

  /** The chat of a number that nobody was told of yet, though it may be given in this moment. */
  guess(application: RecordModel): RecordModel {
    const known = [...application.children.values()]
      .filter(({ isKnown }) => isKnown)
      .map(({ number }) => number);
    return this.#recordAt(application, Math.max(0, ...known) + 1);
  }

  // Numbers.

  /** A POST whose outcome is open as long as nobody says more. */
  beginPost(parent: RecordModel, text: string | null, identity: string, { from }: Begun): OpenPost {
    const post: OpenPost = { text, identity, from };
    parent.openPosts.push(post);
    return post;
  }

  refusePost(parent: RecordModel, post: OpenPost): void {
    parent.openPosts.splice(parent.openPosts.indexOf(post), 1);
  }

  /** A POST was answered with a number. */
  given(parent: RecordModel, post: OpenPost, begun: Begun, number: number, isReplayed: boolean): void {
    this.tick();
    if (!isReplayed && parent.mustBeGone(begun.from))
      this.report(
        `accepted beneath a ${parent.deletion} ${parent.level}`,
        `${parent.shownPath} gave ${number} to ${begun.id}`,
      );
    const isPosted = parent.isKnown || parent.parent?.openPosts.some((open) => open.from < this.#now);
    if (!isPosted) this.report(`accepted beneath a ${parent.level} that nobody posted`, parent.shownPath);
    if (!isReplayed && !this.#mayGoWithParent) parent.prove(this.#now);
    const isAgain = this.#claim(parent, number, post.identity, `answered to ${begun.id}`);
    const later = parent.numbered.find(
      (other) => !other.isReplayed && !isReplayed && other.to < begun.from && other.number > number,
    );
    if (later)
      this.report("out of order", `${parent.shownPath}: ${number} to ${begun.id}, after ${later.number}`);
    parent.numbered.push({ number, from: begun.from, to: this.#now, isReplayed });
    this.refusePost(parent, post);
    const record = this.#recordAt(parent, number);
    const created = record.writes.find(({ kind }) => kind === "create");
    if (!created || isAgain) record.writes.push(this.#acknowledged("create", post.text, begun));
    else if (!isReplayed) this.#settle(created, begun);
  }

  /** No number is another record's, ever; answers whether it is one that may be given once more. */
  #claim(parent: RecordModel, number: number, identity: string, how: string): boolean {
    const holder = parent.given.get(number);
    if (holder !== undefined && holder !== identity && parent.forgiven.delete(number)) {
      parent.given.set(number, identity);
      parent.children.get(number)?.doubt();
      return true;
    } else if (holder === undefined) parent.given.set(number, identity);
    else if (holder !== identity)
      this.report(
        `a ${parent.parent ? "message" : "chat"}'s number given twice`,
        `${parent.shownPath}: ${number} was given to ${holder} and then ${how} (${identity})`,
      );
    return false;
  }

  // Changes.

  beginWrite(record: RecordModel, kind: Write["kind"], text: string | null, { from }: Begun): Write {
    const write: Write = { kind, text, from, to: Infinity, isCertain: false };
    record.writes.push(write);
    return write;
  }

  refuseWrite(record: RecordModel, write: Write): void {
    record.writes.splice(record.writes.indexOf(write), 1);
  }

  acknowledge(record: RecordModel, write: Write, begun: Begun): void {
    this.tick();
    const deleted = record.deletedAncestor(begun.from);
    if (write.kind === "update" && deleted && !deleted.mayBeOccupied)
      this.report(`a deleted ${record.level} was changed`, `${record.shownPath} by ${begun.id}`);
    this.#settle(write, begun);
  }

  // Reads.

  /** A client was told that a record is not there. */
  absent(record: RecordModel, begun: Begun, how = "read"): void {
    this.tick();
    if (record.mustExist(this.intervalOf(begun)))
      this.report(
        `an acknowledged ${record.level} is not there (${how})`,
        `${record.shownPath}, asked by ${begun.id}`,
      );
  }

  /** A client was shown a record. */
  shown(record: RecordModel, text: string | null, begun: Begun, how = "read"): void {
    this.tick();
    this.#compare(record, text, this.intervalOf(begun), `${how}, ${begun.id}`);
  }

  /**
   * A client was shown a list: `isCovered` says of a number whether it would have been on the page, had its record
   * been there.
   */
  listed(
    parent: RecordModel,
    items: readonly Shown[],
    begun: Begun,
    isCovered: (number: number) => boolean,
  ): void {
    this.tick();
    const interval = this.intervalOf(begun);
    if (new Set(items.map(({ number }) => number)).size < items.length)
      this.report("a list shows a record twice", `${parent.shownPath}, ${begun.id}`);
    for (const { number, text } of items)
      this.#compare(this.seen(parent, number, text, interval), text, interval, `list, ${begun.id}`);
    const numbers = new Set(items.map(({ number }) => number));
    for (const record of parent.children.values()) {
      if (!numbers.has(record.number) && isCovered(record.number) && record.mustExist(interval))
        this.report(`a list lacks an acknowledged ${record.level}`, `${record.shownPath}, ${begun.id}`);
    }
  }

  #compare(record: RecordModel, text: string | null, interval: Interval, how: string): void {
    const deleted = record.deletedAncestor(interval.from);
    if (deleted ? deleted.mayBeOccupied : record.mayBeOlder(text)) return;
    if (deleted)
      this.report(
        deleted === record
          ? `a ${record.deletion} ${record.level} is shown`
          : `a ${record.level} of a ${deleted.deletion} ${deleted.level} is shown`,
        `${record.shownPath} (${how})`,
      );
    else if (!record.mayShow(text, interval))
      this.report(`a ${record.level} is shown as it is not`, `${record.shownPath} as ${text} (${how})`);
  }

  /** The record of a number; one that nobody was told of must be of a POST whose outcome is open. */
  seen(parent: RecordModel, number: number, text: string | null, { to }: Interval): RecordModel {
    const known = parent.children.get(number);
    if (known?.writes.some((write) => write.text === text)) return known;
    const post = parent.openPosts.find(
      (open) => open.text === text && open.from < to && (open.number ?? number) === number,
    );
    const record = this.#recordAt(parent, number);
    if (!post) {
      if (!known) this.report(`a ${record.level} that nobody posted`, `${record.shownPath} as ${text}`);
      return record;
    }
    post.number = number;
    this.#claim(parent, number, post.identity, "shown");
    record.writes.push({ kind: "create", text, from: post.from, to: Infinity, isCertain: false });
    return record;
  }

  #recordAt(parent: RecordModel, number: number): RecordModel {
    let record = parent.children.get(number);
    if (!record) {
      record = new RecordModel(`${parent.path}:${number}`, number, parent);
      parent.children.set(number, record);
    }
    return record;
  }

  #acknowledged(kind: Write["kind"], text: string | null, begun: Begun): Write {
    const write: Write = { kind, text, from: begun.from, to: Infinity, isCertain: false };
    this.#settle(write, begun);
    return write;
  }

  #settle(write: Write, { losses }: Begun): void {
    write.to = this.#now;
    write.isCertain = losses === this.#losses.length;
  }
}
