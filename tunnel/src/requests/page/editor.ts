import type { FromPage, ToPage } from "../messages.ts";
import type { PageState, Wire } from "./host.ts";
import { startPage } from "./main.ts";

interface EditorApi {
  postMessage(message: FromPage): void;
  getState(): PageState | undefined;
  setState(state: PageState): void;
}

declare function acquireVsCodeApi(): EditorApi;

/** The page in an editor's view. */
const api = acquireVsCodeApi();

const wire: Wire = {
  offers: { open: true, compare: true },
  get state() {
    return api.getState();
  },
  set state(state) {
    if (state) api.setState(state);
  },
  send: (message) => api.postMessage(message),
  onMessage: (listener) => window.addEventListener("message", ({ data }: MessageEvent<ToPage>) => listener(data)),
};

startPage(wire);
