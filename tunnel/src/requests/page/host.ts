import { translated } from "../daemon-texts.ts";
import type { FromPage, PageMethod, PageParams, PageResult, ToPage } from "../messages.ts";

interface EditorApi {
  postMessage(message: FromPage): void;
  getState(): PageState | undefined;
  setState(state: PageState): void;
}

/** What the page remembers over a reload of the window. */
export interface PageState {
  readonly hidesAssets: boolean;
}

declare function acquireVsCodeApi(): EditorApi;

/** Why something did not work, in words for people. */
export class CallError extends Error {}

/** The extension on the other side of the page's wall. */
export class Host {
  readonly #api = acquireVsCodeApi();
  readonly #waiting = new Map<number, { resolve(result: unknown): void; reject(reason: Error): void }>();
  #n = 0;

  constructor(onMessage: (message: Exclude<ToPage, { type: "answer" }>) => void) {
    window.addEventListener("message", ({ data }: MessageEvent<ToPage>) => {
      if (data.type === "answer") this.#settle(data);
      else onMessage(data);
    });
  }

  get state(): PageState {
    return { hidesAssets: this.#api.getState()?.hidesAssets === true };
  }

  remember(state: PageState): void {
    this.#api.setState(state);
  }

  send(message: Exclude<FromPage, { type: "call" }>): void {
    this.#api.postMessage(message);
  }

  /** Rejects with a `CallError`. */
  call<M extends PageMethod>(tunnel: string, method: M, params: PageParams<M>): Promise<PageResult<M>> {
    const n = ++this.#n;
    this.#api.postMessage({ type: "call", n, tunnel, method, params });
    return new Promise((resolve, reject) => {
      this.#waiting.set(n, { resolve: (result) => resolve(result as PageResult<M>), reject });
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
