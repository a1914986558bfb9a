import { PortholeError } from "@porthole/common/errors";

/**
 * What a relay says about the names of its clients. `begin`, `part` and `end` carry all of them, with the number of the last
 * change; `change` carries what has changed since, with the next number. A gap in the numbers means that something was lost.
 */
export interface NamesMessage {
  readonly seq: number;
  readonly kind: "begin" | "part" | "end" | "change";
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** They were checked where their client was admitted, and are compared with names that visitors ask for. */
const isName = /^[a-z0-9][a-z0-9.-]{0,252}$/;
const kinds: readonly string[] = ["begin", "part", "end", "change"];

/** A line with number and kind, then one line a name, with its sign. */
export function encodeNames({ seq, kind, added, removed }: NamesMessage): Buffer {
  const lines = [`${seq} ${kind}`, ...added.map((name) => `+${name}`), ...removed.map((name) => `-${name}`)];
  return Buffer.from(lines.join("\n"), "latin1");
}

const [lineEnd, plus, minus] = [0x0a, 0x2b, 0x2d];

/** Throws `protocol`. */
export function decodeNames(bytes: Buffer): NamesMessage {
  const headEnd = bytes.indexOf(lineEnd);
  const head = bytes.toString("latin1", 0, headEnd < 0 ? bytes.length : headEnd);
  const [, seq = "", kind = ""] = /^(\d{1,15}) ([a-z]+)$/.exec(head) ?? [];
  if (seq === "" || !kinds.includes(kind)) throw new PortholeError("protocol", "A relay's list of names has no head");
  const added: string[] = [];
  const removed: string[] = [];
  let end = headEnd < 0 ? bytes.length : headEnd;
  while (end < bytes.length) {
    const start = end + 1;
    const next = bytes.indexOf(lineEnd, start);
    end = next < 0 ? bytes.length : next;
    // A text of its own: a piece of a larger one would keep all of that.
    const name = bytes.toString("latin1", Math.min(start + 1, end), end);
    if (!isName.test(name)) throw new PortholeError("protocol", "A relay listed a name that is none");
    if (bytes[start] === plus) added.push(name);
    else if (bytes[start] === minus) removed.push(name);
    else throw new PortholeError("protocol", "A relay listed a name without a sign");
  }
  return { seq: Number(seq), kind: kind as NamesMessage["kind"], added, removed };
}
