const frames = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";
const frameMs = 100;
const eraseLine = "\r\x1b[K";

export interface TextOutput {
  write(text: string): void;
  readonly isTerminal: boolean;
}

/** A last line with a spinner that other lines are printed above. Nothing where the output is not a terminal. */
export class StatusLine {
  readonly #output: TextOutput;
  #text: string | undefined;
  #frame = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(output: TextOutput) {
    this.#output = output;
  }

  show(text: string): void {
    if (!this.#output.isTerminal) return;
    this.#text = text;
    this.#draw();
    this.#timer ??= setInterval(() => {
      this.#frame += 1;
      this.#draw();
    }, frameMs).unref();
  }

  clear(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (this.#text !== undefined) this.#output.write(eraseLine);
    this.#text = undefined;
  }

  printAbove(text: string): void {
    if (this.#text === undefined) return this.#output.write(text);
    this.#output.write(eraseLine + text);
    this.#draw();
  }

  #draw(): void {
    this.#output.write(`${eraseLine}${frames[this.#frame % frames.length]} ${this.#text}`);
  }
}
