import type { ExchangeDetail, Header, ReplayEdit } from "@porthole/tunnel/rpc";
import { t } from "../../text.ts";
import { messageOf, type DetailContext } from "./context.ts";
import { button, el } from "./dom.ts";
import { CallError } from "./host.ts";

/** Another request made of this one. Values that were taken out keep what was recorded. */
export function editForm(
  { summary, request, replay }: ExchangeDetail,
  { host, tunnel, say, show }: DetailContext,
): HTMLElement {
  const source = request.forwarded ?? { method: summary.method, target: summary.target, headers: request.headers };
  const method = input(source.method);
  const target = input(source.target);
  const headers = area(source.headers.map(({ name, value }) => `${name}: ${value}`).join("\n"), 8);
  const body = area("", 8);
  // What is in the form as it was recorded; nothing when that can't be sent again.
  let recorded = replay.possible ? "" : undefined;
  if (request.body.state !== "none") {
    body.disabled = true;
    void readBody();
  }

  async function readBody(): Promise<void> {
    try {
      const view = await host.call(tunnel, "inspect/body", { id: summary.id, side: "request", unredacted: true });
      if (view.text !== undefined && view.nextOffset === undefined && view.decoding === "none") {
        if (replay.possible) recorded = view.text;
        body.value = view.text;
        body.disabled = false;
      } else if (!replay.possible) {
        body.placeholder = replay.why;
        body.disabled = false;
      } else body.placeholder = t("This body can't be edited as text; it is sent as it was recorded.");
    } catch (reason) {
      say(messageOf(reason));
    }
  }

  async function send(): Promise<void> {
    const edit: ReplayEdit = {
      method: method.value.trim(),
      target: target.value.trim(),
      headers: parseHeaders(headers.value),
      ...(body.disabled || body.value === recorded ? {} : { body: { text: body.value } }),
    };
    const { id } = await host.call(tunnel, "inspect/replay", { id: summary.id, edit });
    say(t("Sent"));
    show(id);
  }

  const form = el(
    "form",
    {
      class: "edit",
      on: {
        submit(event) {
          event.preventDefault();
          send().catch((reason: unknown) => say(messageOf(reason)));
        },
      },
    },
    // First and always in sight: the fields below are longer than most panels.
    el(
      "div",
      { class: "actions" },
      submitButton(),
      button(t("Cancel"), () => show(summary.id)),
    ),
    labelled(t("Method"), method),
    labelled(t("Path and query"), target),
    labelled(t("Headers, one a line"), headers),
    labelled(t("Body"), body),
  );
  queueMicrotask(() => target.focus());
  return form;
}

/** Throws for a line that is no header: nothing must be left out silently. */
export function parseHeaders(text: string): Header[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [, name, value = ""] = /^([^\s:]+):[ \t]*(.*?)[ \t\r]*$/.exec(line) ?? [];
      if (name === undefined) throw new CallError(t("This is not a header: {0}", line));
      return { name, value };
    });
}

function submitButton(): HTMLButtonElement {
  const made = el("button", { class: "primary" }, t("Send"));
  made.type = "submit";
  return made;
}

function input(value: string): HTMLInputElement {
  const made = el("input");
  made.value = value;
  made.spellcheck = false;
  return made;
}

function area(value: string, rows: number): HTMLTextAreaElement {
  const made = el("textarea");
  made.value = value;
  made.rows = rows;
  made.spellcheck = false;
  return made;
}

function labelled(label: string, field: HTMLElement): HTMLElement {
  return el("label", {}, el("span", {}, label), field);
}
