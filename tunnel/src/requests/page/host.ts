import { translated } from "../daemon-texts.ts";
import type { FromPage, PageMethod, PageParams, PageResult, ToPage } from "../messages.ts";

/** The page's state, which survives a reload. */
export interface PageState {
  readonly hidesAssets: boolean;
}

/** The way to what runs the page: an editor, or a server on this machine. */
export interface Wire {
  /** Buttons exist only for what the host offers. */
  readonly offers: { readonly open: boolean; readonly compare: boolean };
  state: PageState | undefined;
  send(message: FromPage): void;
  onMessage(listener: (message: ToPage) => void): void;
}

/** Why something did not work, in words for people. */
export class CallError extends Error {}

/** The connection to the program that shows the page: an editor or the command line. */
export class Host {
  readonly #wire: Wire;
  readonly #waiting = new Map<number, { resolve(result: unknown): void; reject(reason: Error): void }>();
  #n = 0;

  constructor(wire: Wire, onMessage: (message: Exclude<ToPage, { type: "answer" }>) => void) {
    this.#wire = wire;
    wire.onMessage((message) => {
      if (message.type === "answer") this.#settle(message);
      else onMessage(message);
    });
  }

  get offers(): Wire["offers"] {
    return this.#wire.offers;
  }

  get state(): PageState {
    return { hidesAssets: this.#wire.state?.hidesAssets === true };
  }

  remember(state: PageState): void {
    this.#wire.state = state;
  }

  send(message: Exclude<FromPage, { type: "call" }>): void {
    this.#wire.send(message);
  }

  /** Rejects with a `CallError`. */
  call<M extends PageMethod>(tunnel: string, method: M, params: PageParams<M>): Promise<PageResult<M>> {
    const n = ++this.#n;
    return new Promise((resolve, reject) => {
      this.#waiting.set(n, { resolve: (result) => resolve(result as PageResult<M>), reject });
      this.#wire.send({ type: "call", n, tunnel, method, params });
    });
  }

  #settle({ n, result, error }: Extract<ToPage, { type: "answer" }>): void {
    const waiting = this.#waiting.get(n);
    this.#waiting.delete(n);
    if (error)
      waiting?.reject(
        new CallError(
          [error.message, error.hint]
            .flatMap((text) => text ?? [])
            .map(translated)
            .join(". "),
        ),
      );
    else waiting?.resolve(result);
  }
}
