import { PortholeError } from "@porthole/common/errors";
import { limits } from "./limits.ts";

const headBytes = 4;
const maxTopicBytes = 64;

export interface BusMessage {
  readonly topic: string;
  readonly bytes: Buffer;
}

/** A message as it travels: its length, the length of its topic, topic, bytes. Throws `internal` for one that is too long. */
export function encodeBusMessage(topic: string, bytes: Uint8Array): Buffer {
  const length = 1 + topic.length + bytes.length;
  if (length > limits.maxMessageBytes || topic.length > maxTopicBytes)
    throw new PortholeError("internal", `A message about ${topic} has ${length} bytes`);
  const head = Buffer.alloc(headBytes + 1);
  head.writeUInt32BE(length, 0);
  head[headBytes] = topic.length;
  return Buffer.concat([head, Buffer.from(topic, "latin1"), bytes]);
}

/** Makes messages of the bytes of a stream, however they are cut. */
export class BusDecoder {
  #pending: Buffer[] = [];
  #size = 0;

  /** The messages that are whole by now. Throws `protocol` or `limit`; the stream is of no use then. */
  *push(chunk: Buffer): Generator<BusMessage> {
    this.#pending.push(chunk);
    this.#size += chunk.length;
    for (;;) {
      if (this.#size < headBytes) return;
      const length = this.#whole(headBytes).readUInt32BE(0);
      if (length > limits.maxMessageBytes)
        throw new PortholeError("limit", `A relay announced a message of ${length} bytes`);
      if (this.#size < headBytes + length) return;
      const all = this.#whole(headBytes + length);
      const rest = all.subarray(headBytes + length);
      this.#pending = rest.length > 0 ? [rest] : [];
      this.#size = rest.length;
      yield readMessage(all.subarray(headBytes, headBytes + length));
    }
  }

  /** The first bytes in one piece; there are as many. */
  #whole(length: number): Buffer {
    const [first] = this.#pending;
    if (first && first.length >= length) return first;
    const all = Buffer.concat(this.#pending);
    this.#pending = [all];
    return all;
  }
}

function readMessage(body: Buffer): BusMessage {
  const topicBytes = body[0] ?? 0;
  if (topicBytes === 0 || topicBytes > maxTopicBytes || 1 + topicBytes > body.length)
    throw new PortholeError("protocol", "A relay sent a message without a topic");
  return { topic: body.toString("latin1", 1, 1 + topicBytes), bytes: body.subarray(1 + topicBytes) };
}
