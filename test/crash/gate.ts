/** Where a process is paused: it waits at the gate until that is opened. */
export class Gate {
  /** Resolves when the process has come to the gate. */
  readonly reached: Promise<void>;
  #reach = (): void => undefined;
  #open = (): void => undefined;
  readonly #opened: Promise<void>;

  constructor() {
    this.reached = new Promise((resolve) => (this.#reach = resolve));
    this.#opened = new Promise((resolve) => (this.#open = resolve));
  }

  /** Resolves when the gate is open. */
  readonly pass = (): Promise<void> => {
    this.#reach();
    return this.#opened;
  };

  open(): void {
    this.#open();
  }
}
