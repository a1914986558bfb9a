import type { MessageView } from "./views.ts";

/** A message as it is kept: not redacted yet, its bytes bounded. */
export interface Message {
  readonly from: MessageView["from"];
  readonly type: MessageView["type"];
  /** The payload, or its beginning. */
  readonly data: Buffer;
  /** The whole payload's size. */
  readonly bytes: number;
  readonly fragments?: number;
  readonly compressed?: boolean;
  readonly closeCode?: number;
  readonly event?: MessageView["event"];
}

/** Bytes of a message that are kept. */
export const maxKeptMessageBytes = 256 * 1024;

export function invalidMessage(from: MessageView["from"], why: string): Message {
  const data = Buffer.from(why);
  return { from, type: "invalid", data, bytes: data.length };
}
