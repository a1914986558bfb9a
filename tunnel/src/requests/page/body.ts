import type { BodyInfo, BodySide, BodyView } from "../../rpc/index.ts";
import { t } from "../text.ts";
import { messageOf, type DetailContext } from "./context.ts";
import { button, el, iconButton, visible } from "./dom.ts";
import { bytes } from "./format.ts";

/** Pictures that a page may show; everything else in a body is text, or is not shown. */
const pictures = /^image\/(png|jpeg|gif|webp|avif|bmp|x-icon|svg\+xml)$/;

/** A body for the eye. It is read when it is looked at, a piece at a time. */
export class BodyPane {
  readonly element = el("div", { class: "body" }, t("Reading…"));
  readonly #context: DetailContext;
  readonly #query: { readonly id: string; readonly side: BodySide; readonly unredacted?: boolean };

  constructor(context: DetailContext, id: string, side: BodySide, info: BodyInfo, unredacted: boolean) {
    this.#context = context;
    this.#query = { id, side, ...(unredacted ? { unredacted } : {}) };
    if (info.state === "none") this.element.replaceChildren(el("p", { class: "empty" }, t("No body")));
    else void this.#load(0);
  }

  async #load(offset: number): Promise<void> {
    const { host, tunnel } = this.#context;
    try {
      const view = await host.call(tunnel, "inspect/body", { ...this.#query, offset });
      if (offset === 0) this.element.replaceChildren(this.#notes(view));
      this.element.append(...this.#content(view));
    } catch (reason) {
      this.element.replaceChildren(el("p", { class: "error" }, messageOf(reason)));
    }
  }

  #notes({ info, decoding, decodedBytes, format }: BodyView): HTMLElement {
    const notes = [
      info.contentType === "" ? format : visible(info.contentType),
      decoding === "decoded" ? t("{0}, {1} decoded", bytes(info.bytes), bytes(decodedBytes)) : bytes(info.bytes),
      info.state === "truncated" ? t("only the first {0} are kept", bytes(info.keptBytes)) : "",
      info.state === "open" ? t("more may come") : "",
      decoding === "damaged" ? t("its encoding is damaged") : "",
      decoding === "unknown" ? t("its encoding is not known here") : "",
    ];
    const { host, tunnel } = this.#context;
    return el(
      "p",
      { class: "notes" },
      notes.filter(Boolean).join(" · "),
      " ",
      host.offers.open &&
        iconButton("open-file", t("Open Body in Editor"), () => {
          const { id, side, unredacted = false } = this.#query;
          host.send({ type: "open", tunnel, id, side, unredacted });
        }),
      iconButton(
        "copy",
        t("Copy Body"),
        () =>
          void this.#whole((view) => {
            host.send({ type: "copy", text: view.text ?? view.base64 ?? "", what: t("body") });
          }),
      ),
      iconButton(
        "save",
        t("Save Body"),
        () =>
          void this.#whole((view) => {
            const fileName = `${this.#query.side}-${this.#query.id}`;
            host.send(
              view.base64 === undefined
                ? { type: "save", fileName, text: view.text ?? "" }
                : { type: "save", fileName, base64: view.base64 },
            );
          }),
      ),
    );
  }

  #content(view: BodyView): Node[] {
    const { format, text, base64, fields, info, nextOffset } = view;
    const shown: Node[] = [];
    const mediaType = info.contentType.split(";", 1)[0]?.trim().toLowerCase() ?? "";
    if (format === "image" && base64 !== undefined && pictures.test(mediaType) && nextOffset === undefined) {
      const picture = el("img");
      picture.src = `data:${mediaType};base64,${base64}`;
      picture.alt = t("Picture, {0}", bytes(info.bytes));
      shown.push(picture);
    } else if (fields) {
      shown.push(
        el(
          "table",
          { class: "facts" },
          el(
            "tbody",
            {},
            ...fields.map(({ name, value }) => el("tr", {}, el("th", {}, visible(name)), el("td", {}, visible(value)))),
          ),
        ),
      );
    } else if (text !== undefined) {
      shown.push(el("pre", { tabIndex: 0 }, visible(format === "json" ? indented(text) : text)));
    } else if (base64 !== undefined) {
      shown.push(el("pre", { tabIndex: 0 }, hexDump(base64)));
    }
    if (nextOffset !== undefined) {
      const more = button(t("Show More"), () => {
        more.remove();
        void this.#load(nextOffset);
      });
      shown.push(more);
    }
    return shown;
  }

  /** All pieces, for the clipboard or a file. */
  async #whole(use: (view: { text?: string; base64?: string }) => void): Promise<void> {
    const { host, tunnel, say } = this.#context;
    try {
      const texts: string[] = [];
      const pieces: string[] = [];
      for (let offset: number | undefined = 0; offset !== undefined;) {
        const view: BodyView = await host.call(tunnel, "inspect/body", { ...this.#query, offset });
        if (view.text !== undefined) texts.push(view.text);
        if (view.base64 !== undefined) pieces.push(atob(view.base64));
        offset = view.nextOffset;
      }
      use(pieces.length > 0 ? { base64: btoa(pieces.join("")) } : { text: texts.join("") });
    } catch (reason) {
      say(messageOf(reason));
    }
  }
}

function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function hexDump(base64: string): string {
  const raw = atob(base64);
  const lines: string[] = [];
  for (let at = 0; at < Math.min(raw.length, 64 * 1024); at += 16) {
    const codes = Array.from({ length: Math.min(16, raw.length - at) }, (_, index) => raw.charCodeAt(at + index));
    const hex = codes.map((code) => code.toString(16).padStart(2, "0")).join(" ");
    const text = codes.map((code) => (code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : "·")).join("");
    lines.push(`${at.toString(16).padStart(8, "0")}  ${hex.padEnd(47)}  ${text}`);
  }
  return lines.join("\n");
}
