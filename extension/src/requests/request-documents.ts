import { createHash } from "node:crypto";
import { basename } from "node:path/posix";
import { commands, ViewColumn, window, workspace, type Disposable, type TextEditor, type Uri } from "vscode";
import { PortholeError } from "@porthole/common/errors";
import type { BodySide, ExchangeDetail, ExchangeSummary } from "@porthole/tunnel/rpc";
import type { Controller } from "../controller/index.ts";
import { t } from "../text.ts";
import { bodyExtension, bodyText, exchangeText } from "./body-file.ts";
import {
  editableText,
  editOf,
  readRecordedBody,
  readWholeBody,
  type ExchangeRef,
  type RecordedBody,
  type WholeBody,
} from "@porthole/tunnel/requests";
import { bodyReader, inspect } from "./inspect.ts";
import { RequestFiles, requestScheme } from "./request-files.ts";

/** So many other requests are offered to compare one with. */
const maxCandidates = 500;
const maxDrafts = 100;

interface Draft {
  readonly of: ExchangeRef;
  readonly recorded: RecordedBody;
}

/** Recorded requests in the editor's own editors: bodies, differences, and texts that are sent again. */
export class RequestDocuments implements Disposable {
  readonly #controller: Controller;
  readonly #files = new RequestFiles();
  readonly #registration: Disposable;
  readonly #drafts = new Map<string, Draft>();

  constructor(controller: Controller) {
    this.#controller = controller;
    this.#registration = workspace.registerFileSystemProvider(requestScheme, this.#files, { isCaseSensitive: true });
  }

  async openBody(of: ExchangeRef, side: BodySide, unredacted: boolean): Promise<void> {
    const [{ summary }, body] = await Promise.all([this.#detail(of, unredacted), this.#body(of, side, unredacted)]);
    const extension = bodyExtension(body);
    const name = `${titleOf(summary)} ${side === "request" ? t("request") : t("response")}.${extension}`;
    const content = bytesOf(body) ?? bodyText(body.text ?? "", extension);
    const uri = this.#files.put(pathFor(`${keyOf(of)} ${side} ${unredacted}`, name), content);
    await commands.executeCommand("vscode.open", uri, { preview: true });
  }

  /** Asks which other request it is compared with. */
  async compare(of: ExchangeRef, unredacted: boolean): Promise<void> {
    const { tunnel, id } = of;
    const { summary } = await this.#detail(of, unredacted);
    const { exchanges } = await inspect(this.#controller, tunnel, "inspect/list", { limit: maxCandidates });
    const others = exchanges.filter((each) => each.id !== id);
    // Those of the same path are most alike.
    const isAlike = (each: ExchangeSummary): boolean => pathOf(each) === pathOf(summary);
    const picked = await window.showQuickPick(
      [...others.filter(isAlike), ...others.filter((each) => !isAlike(each))].map((each) => ({
        label: `${each.method} ${each.target}`,
        description: `${each.status ?? "…"} · ${new Date(each.startedAt).toLocaleTimeString()}`,
        id: each.id,
      })),
      { title: t("Compare {0} {1} with…", summary.method, summary.target), matchOnDescription: true },
    );
    if (!picked) return;
    const other = { tunnel, id: picked.id };
    const [left, right] = await Promise.all([other, of].map((each) => this.#whole(each, unredacted)));
    if (left && right)
      await commands.executeCommand("vscode.diff", left, right, `${basename(left.path)} ↔ ${basename(right.path)}`);
  }

  /** Opens the request as a text that can be changed and sent. */
  async edit(of: ExchangeRef): Promise<void> {
    const detail = await this.#detail(of, false);
    const recorded = await readRecordedBody(bodyReader(this.#controller, of.tunnel), detail);
    const how = t("Change the request, then send it with the button in the title bar.");
    const path = pathFor(`${keyOf(of)} edit ${Date.now()}`, `${titleOf(detail.summary)}.http`);
    const uri = this.#files.put(path, editableText(detail, recorded, how), true);
    this.#drafts.set(path, { of, recorded });
    const [oldest] = this.#drafts.keys();
    if (this.#drafts.size > maxDrafts && oldest !== undefined) this.#drafts.delete(oldest);
    const document = await workspace.openTextDocument(uri);
    await window.showTextDocument(document, { preview: false, viewColumn: ViewColumn.Active });
  }

  /** Sends what is in the editor. Returns the request that was made of it. */
  async send(editor: TextEditor | undefined = window.activeTextEditor): Promise<ExchangeRef> {
    const { document } = editor ?? {};
    const draft = document && this.#drafts.get(document.uri.path);
    if (!document || document.uri.scheme !== requestScheme || !draft)
      throw new PortholeError(
        "usage",
        t("This is no request that can be sent. Choose Edit and Send in the Requests view."),
      );
    const edit = editOf(document.getText(), draft.recorded);
    const { tunnel } = draft.of;
    const { id } = await inspect(this.#controller, tunnel, "inspect/replay", { id: draft.of.id, edit });
    return { tunnel, id };
  }

  dispose(): void {
    this.#registration.dispose();
    this.#files.dispose();
  }

  #detail({ tunnel, id }: ExchangeRef, unredacted: boolean): Promise<ExchangeDetail> {
    return inspect(this.#controller, tunnel, "inspect/get", { id, ...(unredacted ? { unredacted } : {}) });
  }

  #body({ tunnel, id }: ExchangeRef, side: BodySide, unredacted: boolean): Promise<WholeBody> {
    return readWholeBody(bodyReader(this.#controller, tunnel), { id, side, unredacted });
  }

  async #whole(of: ExchangeRef, unredacted: boolean): Promise<Uri> {
    const detail = await this.#detail(of, unredacted);
    const [request, response] = await Promise.all([
      this.#bodyText(of, "request", unredacted),
      this.#bodyText(of, "response", unredacted),
    ]);
    const path = pathFor(`${keyOf(of)} whole ${unredacted}`, `${titleOf(detail.summary)}.http`);
    return this.#files.put(path, exchangeText(detail, { request, response }));
  }

  async #bodyText(of: ExchangeRef, side: BodySide, unredacted: boolean): Promise<string> {
    const body = await this.#body(of, side, unredacted);
    const bytes = bytesOf(body);
    if (bytes) return `< ${body.info.contentType} ${bytes.toString("base64")}`;
    return bodyText(body.text ?? "", bodyExtension(body)).trimEnd();
  }
}

function bytesOf({ base64 }: WholeBody): Buffer | undefined {
  return base64 && Buffer.concat(base64.map((piece) => Buffer.from(piece, "base64")));
}

/** The same content gets the same tab. */
function pathFor(key: string, name: string): string {
  return `/${createHash("sha256").update(key).digest("hex").slice(0, 12)}/${name}`;
}

function keyOf({ tunnel, id }: ExchangeRef): string {
  return `${tunnel} ${id}`;
}

/** Returns the title of a tab: `POST orders 14-02-11`. */
function titleOf(summary: ExchangeSummary): string {
  const last =
    pathOf(summary)
      .split("/")
      .findLast((part) => part !== "") ?? "";
  const safe = last.replaceAll(/[^\w.-]+/g, "-").slice(0, 40);
  return [summary.method.replaceAll(/\W/g, ""), safe, `#${summary.seq}`].filter(Boolean).join(" ");
}

function pathOf({ target }: ExchangeSummary): string {
  return target.split("?", 1)[0] ?? "";
}
