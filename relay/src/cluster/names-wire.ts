import { PortholeError } from "@porthole/common/errors";
import { canonicalHostName } from "@porthole/common/protocol";

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

const kinds: readonly string[] = ["begin", "part", "end", "change"];

/** A line with number and kind, then one line a name, with its sign. */
export function encodeNames({ seq, kind, added, removed }: NamesMessage): Buffer {
  const lines = [`${seq} ${kind}`, ...added.map((name) => `+${name}`), ...removed.map((name) => `-${name}`)];
  return Buffer.from(lines.join("\n"), "latin1");
}

/** Throws `protocol`. */
export function decodeNames(bytes: Buffer): NamesMessage {
  const [head = "", ...lines] = bytes.toString("latin1").split("\n");
  const [, seq = "", kind = ""] = /^(\d{1,15}) ([a-z]+)$/.exec(head) ?? [];
  if (seq === "" || !kinds.includes(kind)) throw new PortholeError("protocol", "A relay's list of names has no head");
  const added: string[] = [];
  const removed: string[] = [];
  for (const line of lines) {
    const name = line.slice(1);
    if (canonicalHostName(name) !== name) throw new PortholeError("protocol", "A relay listed a name that is none");
    if (line.startsWith("+")) added.push(name);
    else if (line.startsWith("-")) removed.push(name);
    else throw new PortholeError("protocol", "A relay listed a name without a sign");
  }
  return { seq: Number(seq), kind: kind as NamesMessage["kind"], added, removed };
}
