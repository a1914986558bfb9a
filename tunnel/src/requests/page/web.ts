import { readRecordedBody, type ReadBody } from "../whole-body.ts";
import { editableText, editOf } from "../http-text.ts";
import type { ExchangeRef, FromPage, PageMethod, PageParams, PageResult, ToPage } from "../messages.ts";
import { askForRequest } from "./edit-dialog.ts";
import type { PageState, Wire } from "./host.ts";
import { startPage } from "./main.ts";

/** The page in a browser, served by `porthole inspect --web` on this machine. */

const tokenKey = "porthole-token";
const stateKey = "porthole-page";
const retryMs = 1_000;
const lost = "The client has ended, or porthole inspect has. This page continues when it is back.";
const noToken = "This page has no key. Open the address that porthole inspect has printed.";

class WebWire implements Wire {
  readonly offers = { open: false, compare: false };
  readonly #token = tokenOfAddress();
  #listener: (message: ToPage) => void = () => {};
  #isEditing = false;

  get state(): PageState | undefined {
    return JSON.parse(localStorage.getItem(stateKey) ?? "null") as PageState | undefined;
  }

  set state(state: PageState | undefined) {
    localStorage.setItem(stateKey, JSON.stringify(state));
  }

  onMessage(listener: (message: ToPage) => void): void {
    this.#listener = listener;
  }

  send(message: FromPage): void {
    void this.#handle(message).catch((reason: unknown) =>
      this.#listener({ type: "say", text: reason instanceof Error ? reason.message : String(reason) }),
    );
  }

  async #handle(message: FromPage): Promise<void> {
    switch (message.type) {
      case "ready":
        this.#listener({ type: "init", texts: {} });
        return this.#follow();
      case "call":
        return this.#listener({ type: "answer", n: message.n, ...(await this.#post(message)) });
      case "copy":
        await navigator.clipboard.writeText(message.text);
        return this.#listener({ type: "say", text: `Copied: ${message.what}` });
      case "save":
        return save(message);
      case "edit":
        // A second click opens no second dialog.
        if (this.#isEditing) return;
        this.#isEditing = true;
        return this.#edit(message).finally(() => (this.#isEditing = false));
      case "open":
      case "compare":
    }
  }

  /** Never resolves: what the server says, and again when it was away. */
  async #follow(): Promise<void> {
    for (;;) {
      const response = await this.#fetch("/events").catch(() => undefined);
      if (response?.status === 401) throw new Error(noToken);
      if (response?.ok && response.body) await this.#read(response.body).catch(() => {});
      this.#listener({ type: "tunnels", tunnels: [] });
      this.#listener({ type: "say", text: lost });
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }

  /** A message on each line; an empty line says that the server is there. */
  async #read(body: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = ""; ;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line !== "") this.#listener(JSON.parse(line) as ToPage);
    }
  }

  async #post(
    message: Extract<FromPage, { type: "call" }>,
  ): Promise<Pick<Extract<ToPage, { type: "answer" }>, "result" | "error">> {
    const { tunnel, method, params } = message;
    const response = await this.#fetch("/call", { tunnel, method, params }).catch(() => undefined);
    if (response?.ok) return (await response.json()) as { result: unknown };
    const text = response?.status === 401 ? noToken : lost;
    return { error: { code: "closed", message: text, retryable: false } };
  }

  #fetch(path: string, body?: object): Promise<Response> {
    const headers = { authorization: `Bearer ${this.#token}`, ...(body && { "content-type": "application/json" }) };
    return fetch(path, { headers, ...(body && { method: "POST", body: JSON.stringify(body) }) });
  }

  async #edit({ tunnel, id }: ExchangeRef): Promise<void> {
    const detail = await this.#call(tunnel, "inspect/get", { id });
    const read: ReadBody = (query) => this.#call(tunnel, "inspect/body", query);
    const recorded = await readRecordedBody(read, detail);
    await askForRequest(editableText(detail, recorded), async (text) => {
      const replay = await this.#call(tunnel, "inspect/replay", { id, edit: editOf(text, recorded) });
      this.#listener({ type: "show", tunnel, id: replay.id });
    });
  }

  async #call<M extends PageMethod>(tunnel: string, method: M, params: PageParams<M>): Promise<PageResult<M>> {
    const { result, error } = await this.#post({ type: "call", n: 0, tunnel, method, params });
    if (error) throw new Error([error.message, error.hint].filter(Boolean).join(". "));
    return result as PageResult<M>;
  }
}

/** The key stands behind the # of the address, which browsers send to nobody, and leaves it at once. */
function tokenOfAddress(): string {
  const token = location.hash.slice(1);
  if (token !== "") {
    sessionStorage.setItem(tokenKey, token);
    history.replaceState(undefined, "", location.pathname);
  }
  return sessionStorage.getItem(tokenKey) ?? "";
}

function save({ fileName, text, base64 }: Extract<FromPage, { type: "save" }>): void {
  const bytes = base64 === undefined ? (text ?? "") : Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  const link = document.createElement("a");
  // Never shown as a page of this origin: strangers have written it.
  link.href = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
  link.download = fileName.replaceAll(/[^\w.-]+/g, "-").slice(-100) || "body";
  link.click();
  URL.revokeObjectURL(link.href);
}

startPage(new WebWire());
