import { emitKeypressEvents } from "node:readline";
import type { ReadStream, WriteStream } from "node:tty";

export interface Key {
  /** `up`, `return`, `escape`, `a`; undefined for what has no name. */
  readonly name: string | undefined;
  /** The characters themselves. */
  readonly text: string;
  readonly ctrl: boolean;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

const alternateOn = "\x1b[?1049h\x1b[?25l";
const alternateOff = "\x1b[?25h\x1b[?1049l";

/** A terminal taken over as a whole. The caller closes it; then it is as it was. */
export class Screen {
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  readonly #onKey: (key: Key) => void;
  readonly #onResize: () => void;
  readonly #restore = (): void => void this.#output.write(alternateOff);
  #shown: string[] = [];

  constructor(
    streams: { readonly input: ReadStream; readonly output: WriteStream },
    on: { key(key: Key): void; resize(): void },
  ) {
    this.#input = streams.input;
    this.#output = streams.output;
    this.#onKey = (key) => on.key(key);
    this.#onResize = () => {
      this.#shown = [];
      on.resize();
    };
    emitKeypressEvents(this.#input);
    this.#input.on("keypress", this.#keypress);
    this.#output.on("resize", this.#onResize);
    this.open();
  }

  get size(): Size {
    return { columns: this.#output.columns || 80, rows: this.#output.rows || 24 };
  }

  /** Again after `close`. */
  open(): void {
    this.#input.setRawMode(true);
    this.#input.resume();
    this.#output.write(alternateOn);
    this.#shown = [];
    // Also when the process ends in another way than it should.
    process.on("exit", this.#restore);
  }

  close(): void {
    process.off("exit", this.#restore);
    this.#restore();
    this.#input.setRawMode(false);
    this.#input.pause();
  }

  /** For good. */
  dispose(): void {
    this.close();
    this.#input.off("keypress", this.#keypress);
    this.#output.off("resize", this.#onResize);
  }

  /** Writes only the lines that have changed. */
  draw(lines: readonly string[]): void {
    const { rows } = this.size;
    let text = "";
    for (let row = 0; row < rows; row++) {
      const line = lines[row] ?? "";
      if (this.#shown[row] === line) continue;
      this.#shown[row] = line;
      text += `\x1b[${row + 1};1H${line}\x1b[0m\x1b[K`;
    }
    if (text !== "") this.#output.write(text);
  }

  readonly #keypress = (text: string | undefined, key: { name?: string; ctrl?: boolean } | undefined): void =>
    this.#onKey({ name: key?.name, text: text ?? "", ctrl: key?.ctrl ?? false });
}
