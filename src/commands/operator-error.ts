/** Something the person at the terminal can mend; told in a sentence, without a stack. */
export class OperatorError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "OperatorError";
  }
}
