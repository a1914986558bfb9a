import { parseClientHello, Refusal, type ClientHello } from "./client-hello-body.ts";
import { limits } from "./protocol.ts";
import { tlsAlert } from "./tls-alert.ts";

export type HelloResult =
  | { readonly status: "more" }
  | { readonly status: "hello"; readonly hello: ClientHello }
  | {
      readonly status: "refused";
      /** The TLS alert to send. */
      readonly alert: number;
      readonly reason: string;
      /** The visitor speaks HTTP without TLS: an answer in plain HTTP is understood, an alert is not. */
      readonly plainHttp: boolean;
    };

const recordHeaderBytes = 5;
const handshakeHeaderBytes = 4;
const maxRecordBytes = 2 ** 14;
const handshakeRecord = 22;
const clientHelloMessage = 1;
const more: HelloResult = { status: "more" };

/** How plain HTTP begins; the last one is HTTP/2's preface. */
const httpMethods = ["GET ", "HEAD ", "POST ", "PUT ", "DELETE ", "OPTIONS ", "PATCH ", "CONNECT ", "TRACE ", "PRI "];

/**
 * Reads a visitor's ClientHello from however many TCP segments and TLS records it comes in: the length in the handshake header
 * decides where it ends. Whatever cannot become a valid hello is refused with the alert that fits, as soon as it can be told,
 * and the answer does not depend on how the bytes were divided. Memory is bounded by limits.maxHelloBytes and
 * limits.maxHelloRecordBytes plus the last chunk; the deadline is the caller's.
 */
export class ClientHelloReader {
  // Nothing is set aside: a flood of connections has few bytes on each.
  #raw: Buffer = Buffer.alloc(0);
  #rawLength = 0;
  /** Offset in #raw of the next byte to look at. */
  #offset = 0;
  #emptyRecords = 0;
  /** Bytes of the present record that are still to come. */
  #recordLeft = 0;
  #hello: Buffer = Buffer.alloc(0);
  #helloLength = 0;
  #result: HelloResult = more;

  /** Everything that was pushed, byte for byte: what the client of the tunnel must see first. */
  get bytes(): Buffer {
    return this.#raw.subarray(0, this.#rawLength);
  }

  /** Takes the next bytes. Once the result is not "more" it stays what it is. */
  push(chunk: Uint8Array): HelloResult {
    this.#raw = append(this.#raw, this.#rawLength, chunk);
    this.#rawLength += chunk.length;
    if (this.#result.status !== "more") return this.#result;
    try {
      this.#result = this.#read();
    } catch (reason) {
      if (!(reason instanceof Refusal)) throw reason;
      this.#result = {
        status: "refused",
        alert: reason.alert,
        reason: reason.message,
        plainHttp: reason instanceof PlainHttp,
      };
    }
    return this.#result;
  }

  #read(): HelloResult {
    for (;;) {
      if (this.#recordLeft === 0 && !this.#readRecordHeader()) return more;
      this.#readFragment();
      const length = this.#messageLength();
      if (length !== undefined && this.#helloLength >= length) {
        if (this.#helloLength > length || this.#recordLeft > 0)
          throw new Refusal(tlsAlert.unexpectedMessage, "more follows the ClientHello in its record");
        return { status: "hello", hello: parseClientHello(this.#hello.subarray(handshakeHeaderBytes, length)) };
      }
      if (this.#recordLeft > 0) return more;
    }
  }

  /** True once a whole header is there. Each byte is judged as it comes, so that nonsense is not waited for. */
  #readRecordHeader(): boolean {
    const header = this.#raw.subarray(this.#offset, Math.min(this.#offset + recordHeaderBytes, this.#rawLength));
    const [type, major] = header;
    if (type === undefined) return false;
    if (type !== handshakeRecord) {
      if (this.#offset === 0 && refuseForeign(this.bytes)) return false;
      throw new Refusal(tlsAlert.unexpectedMessage, `a record of type ${type} instead of a handshake`);
    }
    // Only the major version: RFC 8446 5.1 says to ignore the rest for all purposes.
    if (major !== undefined && major !== 3)
      throw new Refusal(tlsAlert.protocolVersion, `a record of version ${major}.x`);
    if (header.length < recordHeaderBytes) return false;
    const length = header.readUInt16BE(3);
    if (length > maxRecordBytes) throw new Refusal(tlsAlert.recordOverflow, `a record of ${length} bytes`);
    if (length === 0 && ++this.#emptyRecords > limits.maxEmptyHelloRecords)
      throw new Refusal(tlsAlert.unexpectedMessage, `more than ${limits.maxEmptyHelloRecords} empty records`);
    if (this.#offset + recordHeaderBytes + length > limits.maxHelloRecordBytes)
      throw new Refusal(tlsAlert.recordOverflow, `records of more than ${limits.maxHelloRecordBytes} bytes together`);
    this.#offset += recordHeaderBytes;
    this.#recordLeft = length;
    return true;
  }

  /** Moves what is there of the present record, but nothing beyond the message's own end. */
  #readFragment(): void {
    while (this.#recordLeft > 0 && this.#offset < this.#rawLength) {
      const wanted = (this.#messageLength() ?? handshakeHeaderBytes) - this.#helloLength;
      const count = Math.min(wanted, this.#recordLeft, this.#rawLength - this.#offset);
      if (count <= 0) return;
      this.#hello = append(this.#hello, this.#helloLength, this.#raw.subarray(this.#offset, this.#offset + count));
      this.#helloLength += count;
      this.#offset += count;
      this.#recordLeft -= count;
    }
  }

  /** Length of the handshake message with its header, once the header is there. */
  #messageLength(): number | undefined {
    if (this.#helloLength > 0 && this.#hello[0] !== clientHelloMessage)
      throw new Refusal(tlsAlert.unexpectedMessage, `handshake message ${this.#hello[0]} instead of a ClientHello`);
    if (this.#helloLength < handshakeHeaderBytes) return undefined;
    const length = handshakeHeaderBytes + this.#hello.readUIntBE(1, 3);
    if (length > limits.maxHelloBytes) throw new Refusal(tlsAlert.illegalParameter, `a ClientHello of ${length} bytes`);
    return length;
  }
}

class PlainHttp extends Refusal {}

/** Throws if the bytes are the beginning of something that we know and is not TLS; true if more bytes are needed to tell. */
function refuseForeign(bytes: Buffer): boolean {
  const text = bytes.toString("latin1", 0, 8);
  for (const method of httpMethods) {
    if (text.startsWith(method)) throw new PlainHttp(tlsAlert.unexpectedMessage, "HTTP without TLS");
    if (method.startsWith(text)) return true;
  }
  // SSL 2.0's CLIENT-HELLO: two bytes of length with the high bit set, then message type 1.
  if (((bytes[0] ?? 0) & 0x80) !== 0) {
    if (bytes.length < 3) return true;
    if (bytes[2] === 1) throw new Refusal(tlsAlert.protocolVersion, "an SSL 2.0 hello");
  }
  return false;
}

/** The buffer, or a larger one with its first `length` bytes, with the chunk after them. Doubling keeps one-byte chunks cheap. */
function append(buffer: Buffer, length: number, chunk: Uint8Array): Buffer {
  let target = buffer;
  if (length + chunk.length > buffer.length) {
    target = Buffer.allocUnsafe(Math.max(2 * buffer.length, length + chunk.length));
    buffer.copy(target, 0, 0, length);
  }
  target.set(chunk, length);
  return target;
}
