import { PortholeError } from "../errors.ts";
import { controlFields, type Field } from "./control-fields.ts";
import { limits, type ControlMessage } from "./protocol.ts";

const headerBytes = 4;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A message as it travels: 4 bytes of length, big-endian, then JSON. What the other side would refuse is an `internal` error here. */
export function encodeControl(message: ControlMessage): Buffer {
  const json = Buffer.from(JSON.stringify(checked(message, "internal")), "utf8");
  if (json.length > limits.maxControlBytes)
    throw new PortholeError("internal", `A ${message.type} message of ${json.length} bytes is too long to be sent`);
  const frame = Buffer.allocUnsafe(headerBytes + json.length);
  frame.writeUInt32BE(json.length, 0);
  json.copy(frame, headerBytes);
  return frame;
}

/**
 * The other direction, for any division of the bytes into chunks. Holds at most one message's bytes. After an error
 * (`limit` for one that is too long, `protocol` for anything else) the position in the stream is lost: end the link.
 */
export class ControlDecoder {
  readonly #header = Buffer.alloc(headerBytes);
  #headerLength = 0;
  #body: Buffer | undefined;
  #bodyLength = 0;

  push(chunk: Uint8Array): ControlMessage[] {
    const messages: ControlMessage[] = [];
    for (let offset = 0; offset < chunk.length;) {
      offset += this.#body ? this.#fillBody(this.#body, chunk, offset) : this.#fillHeader(chunk, offset);
      if (this.#body && this.#bodyLength === this.#body.length) {
        messages.push(parse(this.#body));
        this.#body = undefined;
        this.#headerLength = 0;
      }
    }
    return messages;
  }

  #fillHeader(chunk: Uint8Array, offset: number): number {
    const count = Math.min(headerBytes - this.#headerLength, chunk.length - offset);
    this.#header.set(chunk.subarray(offset, offset + count), this.#headerLength);
    this.#headerLength += count;
    if (this.#headerLength === headerBytes) {
      const length = this.#header.readUInt32BE(0);
      if (length > limits.maxControlBytes)
        throw new PortholeError("limit", `The peer announced a control message of ${length} bytes`);
      if (length === 0) throw new PortholeError("protocol", "The peer sent an empty control message");
      this.#body = Buffer.allocUnsafe(length);
      this.#bodyLength = 0;
    }
    return count;
  }

  #fillBody(body: Buffer, chunk: Uint8Array, offset: number): number {
    const count = Math.min(body.length - this.#bodyLength, chunk.length - offset);
    body.set(chunk.subarray(offset, offset + count), this.#bodyLength);
    this.#bodyLength += count;
    return count;
  }
}

function parse(body: Buffer): ControlMessage {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(body));
  } catch (reason) {
    throw new PortholeError("protocol", "The peer sent a control message that is not JSON", { cause: reason });
  }
  return checked(value, "protocol");
}

/** The message with its known fields only, each of them valid. */
function checked(value: unknown, code: "protocol" | "internal"): ControlMessage {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new PortholeError(code, "A control message is not a JSON object");
  const type = own(value, "type");
  if (typeof type !== "string" || !Object.hasOwn(controlFields, type))
    throw new PortholeError(code, `Unknown control message ${printed(type)}`);
  const fields = controlFields[type as ControlMessage["type"]] as Readonly<Record<string, Field<unknown>>>;
  const message: Record<string, unknown> = { type };
  for (const [name, field] of Object.entries(fields)) {
    const given = own(value, name);
    if (given === undefined) {
      if (field.optional) continue;
      throw new PortholeError(code, `Control message ${type} lacks ${name}`);
    }
    const read = field.read(given);
    if (read === undefined)
      throw new PortholeError(code, `Control message ${type}: ${name} must be ${field.what}, got ${printed(given)}`);
    message[name] = read;
  }
  return message as unknown as ControlMessage;
}

function own(value: object, name: string): unknown {
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

/** For an error text: short, and without the value of a string, which may be a token. */
function printed(value: unknown): string {
  if (typeof value === "string") return `a text of ${value.length} characters`;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (value === undefined) return "(no type)";
  return Array.isArray(value) ? "a list" : value === null ? "null" : "an object";
}
