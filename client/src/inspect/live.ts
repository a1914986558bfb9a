import { withFlags } from "@porthole/common/options";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { ReadStream, WriteStream } from "node:tty";
import { PortholeError } from "@porthole/common/errors";
import type { InspectorChanges } from "@porthole/tunnel/rpc";
import { orAbort, temporaryFolder } from "@porthole/common/util";
import { printableLines } from "../printable.ts";
import type { TunnelClient } from "../running-client.ts";
import { ListView, type ListAction } from "./list-view.ts";
import { pageOf } from "./page.ts";
import { PageView, type PageAction } from "./page-view.ts";
import { fullExchange } from "./full-exchange.ts";
import { editOf, requestText } from "./request-text.ts";
import { colourPaint } from "./row.ts";
import { Screen, type Key } from "./screen.ts";
import { writeExport } from "./write-export.ts";

/** While a filter is set the client is asked which rows fit, at most so often. */
const askEveryMs = 300;
/** After a key in the filter: the next one may follow. */
const typingMs = 120;

/** `porthole inspect` on a terminal: the list as it grows, one request in full, replay, exports. Resolves when the user has had enough or the client ends. */
export async function inspectLive(
  client: TunnelClient,
  streams: { readonly input: ReadStream; readonly output: WriteStream },
  filter: string,
): Promise<void> {
  const isOver = await new Live(client, streams, filter).run();
  if (isOver) streams.output.write("The client has ended.\n");
}

class Live {
  readonly #client: TunnelClient;
  readonly #list = new ListView();
  readonly #screen: Screen;
  readonly #leave = new AbortController();
  #page: PageView | undefined;
  #asking: NodeJS.Timeout | undefined;
  #isBusy = false;

  constructor(
    client: TunnelClient,
    streams: { readonly input: ReadStream; readonly output: WriteStream },
    filter: string,
  ) {
    this.#client = client;
    this.#list.filter = filter;
    this.#screen = new Screen(streams, { key: (key) => this.#onKey(key), resize: () => this.#draw() });
  }

  /** Whether it was the client that ended. */
  async run(): Promise<boolean> {
    try {
      // Followed first: what comes between the two is told twice, not never.
      this.#client.on("inspect/exchange", ({ id, changes }) => {
        if (id === this.#client.tunnel && !this.#leave.signal.aborted) this.#onChanges(changes);
      });
      await this.#refresh();
      await orAbort(this.#leave.signal, this.#client.closed).catch(() => {});
      return !this.#leave.signal.aborted;
    } finally {
      clearTimeout(this.#asking);
      this.#leave.abort();
      this.#screen.dispose();
    }
  }

  #draw(): void {
    this.#screen.draw((this.#page ?? this.#list).lines(this.#screen.size, colourPaint));
  }

  #onChanges(changes: InspectorChanges): void {
    this.#list.apply(changes);
    if (this.#list.needsAsking) this.#asking ??= setTimeout(() => this.#do(() => this.#refresh()), askEveryMs);
    const page = this.#page;
    if (page?.isLive && changes.exchanges.some(({ id }) => id === page.id)) this.#do(() => this.#reload(page));
    this.#draw();
  }

  #onKey(key: Key): void {
    if (key.ctrl && key.name === "c") return this.#leave.abort();
    if (this.#isBusy) return;
    const page = this.#page;
    if (page) {
      const action = page.onKey(key, this.#screen.size);
      if (action) this.#do(() => this.#onPage(page, action));
    } else {
      const action = this.#list.onKey(key, this.#screen.size);
      if (action) this.#do(() => this.#onList(action));
    }
    this.#draw();
  }

  async #onList(action: ListAction): Promise<void> {
    switch (action.do) {
      case "open":
        this.#page = new PageView(action.id, [], { isLive: true });
        return this.#reload(this.#page);
      case "replay":
      case "edit":
      case "curl":
      case "fetch":
        return this.#withRequest(action.do, action.id);
      case "har":
        return this.#saveHar();
      case "clear":
        await this.#client.call("inspect/clear", { tunnel: this.#client.tunnel });
        return this.#refresh();
      case "pause":
        await this.#client.call("inspect/record", { tunnel: this.#client.tunnel, recording: this.#list.isPaused });
        return this.#refresh();
      case "refresh":
        clearTimeout(this.#asking);
        this.#asking = setTimeout(() => this.#do(() => this.#refresh()), typingMs);
        return;
      case "quit":
        return this.#leave.abort();
    }
  }

  async #onPage(page: PageView, action: PageAction): Promise<void> {
    switch (action) {
      case "back":
        this.#page = page.isLive ? undefined : await this.#open(page.id);
        return;
      case "quit":
        return this.#leave.abort();
      case "unredact":
        page.unredacted = !page.unredacted;
        return this.#reload(page);
      default:
        return this.#withRequest(action, page.id);
    }
  }

  async #withRequest(action: "replay" | "edit" | "curl" | "fetch", id: string): Promise<void> {
    if (action === "replay") {
      const replay = await this.#client.call("inspect/replay", { tunnel: this.#client.tunnel, id });
      return this.#say(`Replayed as ${replay.id}.`);
    }
    if (action === "edit") return this.#editAndReplay(id);
    const { text, notes } = await this.#client.call("inspect/export", {
      tunnel: this.#client.tunnel,
      format: action,
      ids: [id],
    });
    const comment = action === "curl" ? "#" : "//";
    const lines = [...notes.map((note) => `${comment} ${note}`), "", ...printableLines(text).split("\n")];
    this.#page = new PageView(id, lines, { isLive: false });
  }

  async #editAndReplay(id: string): Promise<void> {
    const detail = await this.#client.call("inspect/get", { tunnel: this.#client.tunnel, id });
    // To edit a body one has to see all of it.
    const body = await this.#client.call("inspect/body", {
      ...{ tunnel: this.#client.tunnel, id, side: "request" },
      unredacted: true,
    });
    const before = requestText(detail, body);
    this.#isBusy = true;
    this.#screen.close();
    let after: string;
    try {
      after = await inEditor(before);
    } finally {
      this.#screen.open();
      this.#isBusy = false;
    }
    const edit = editOf(after, before);
    if (!edit) return this.#say("Nothing was sent.");
    const replay = await this.#client.call("inspect/replay", { tunnel: this.#client.tunnel, id, edit });
    this.#say(`Sent as ${replay.id}.`);
  }

  async #saveHar(): Promise<void> {
    const filter = { text: this.#list.filter };
    const { text, fileName, notes } = await this.#client.call("inspect/export", {
      ...{ tunnel: this.#client.tunnel, filter, ids: [] },
      format: "har",
    });
    const path = resolve(fileName);
    await writeExport(path, text);
    this.#say(`Saved as ${path}. ${notes.join(" ")}`);
  }

  async #refresh(): Promise<void> {
    clearTimeout(this.#asking);
    this.#asking = undefined;
    const filter = { text: this.#list.filter };
    this.#list.replace(await this.#client.call("inspect/list", { tunnel: this.#client.tunnel, filter, limit: 1_000 }));
    this.#draw();
  }

  async #reload(page: PageView): Promise<void> {
    const full = await fullExchange(this.#client, page.id, page.unredacted);
    page.replace(pageOf(full, colourPaint));
  }

  async #open(id: string): Promise<PageView> {
    const page = new PageView(id, [], { isLive: true });
    await this.#reload(page);
    return page;
  }

  #say(text: string): void {
    (this.#page ?? this.#list).note = text;
  }

  /** What goes wrong is said in the last line; the list stays. */
  #do(work: () => Promise<void>): void {
    work()
      .catch((reason: unknown) => {
        const error = PortholeError.from(reason);
        this.#say(withFlags(error.hint === undefined ? error.message : `${error.message}. ${error.hint}`));
      })
      .finally(() => {
        if (!this.#leave.signal.aborted) this.#draw();
      });
  }
}

/** The text as the user leaves it in the editor of the environment. */
export async function inEditor(text: string): Promise<string> {
  const folder = await temporaryFolder("porthole-edit-");
  const path = join(folder, "request.http");
  try {
    await writeFile(path, text, { mode: 0o600 });
    const editor = process.env["VISUAL"] || process.env["EDITOR"] || (process.platform === "win32" ? "notepad" : "vi");
    const child = spawn(`${editor} "${path}"`, { shell: true, stdio: "inherit" });
    const [code] = (await once(child, "close")) as [number | null];
    if (code !== 0)
      throw new PortholeError("usage", `The editor ${editor} ended with ${code}`, {
        hint: "Set EDITOR to another one.",
      });
    return await readFile(path, "utf8");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
