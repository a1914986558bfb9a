import { PortholeError } from "@porthole/common/errors";
import { valueOf, valuesOf, type ForwardedHead, type RawHeaders } from "../http/index.ts";
import type { Recording } from "./recording.ts";
import { redactedMark } from "./redacted-mark.ts";
import type { ReplayEdit } from "./queries.ts";

export interface PreparedReplay {
  readonly head: ForwardedHead;
  readonly body: Buffer;
  readonly trailers: RawHeaders;
}

/** Those of one connection (RFC 9110, 7.6.1), and what the body's framing follows from. */
const hopByHop = [
  "connection",
  "proxy-connection",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "content-length",
  "expect",
  "http2-settings",
];

/** A sentence for the user, or undefined when it can be sent again as it was. */
export function whyNoReplay(recording: Recording): string | undefined {
  if (!recording.forwardedHead) return "It never reached the local service.";
  if (recording.kind === "websocket" || recording.kind === "upgrade")
    return "A connection that continued with another protocol can't be replayed.";
  if (!recording.requestBody.isComplete)
    return recording.requestBody.keptBytes < recording.requestBody.bytes
      ? "Only the beginning of its body was kept; give a body of your own."
      : "Its body never came to an end; give a body of your own.";
  return undefined;
}

/** Returns the request to send to the local service: the recorded one with its edits and the hop-by-hop headers of a new connection. Throws `usage`. */
export function prepareReplay(recording: Recording, edit: ReplayEdit | undefined): PreparedReplay {
  const recorded = recording.forwardedHead;
  const why = whyNoReplay(recording);
  const isBodyGiven =
    edit?.body !== undefined &&
    recorded !== undefined &&
    recording.kind !== "websocket" &&
    recording.kind !== "upgrade";
  if (!recorded || (why !== undefined && !isBodyGiven))
    throw new PortholeError("usage", `This request can't be replayed. ${why ?? ""}`.trim());
  const body = edit?.body ? editedBody(edit.body) : recording.requestBody.kept;
  const headers = withoutHopByHop(edit?.headers ? editedHeaders(edit.headers, recorded.headers) : recorded.headers);
  const hasBody = body.length > 0 || valueOf(recorded.headers, "content-length") !== undefined;
  return {
    head: {
      service: recorded.service,
      method: edit?.method === undefined ? recorded.method : checkedMethod(edit.method),
      target: edit?.target === undefined ? recorded.target : editedTarget(edit.target, recorded.target),
      headers: hasBody ? [...headers, "Content-Length", String(body.length)] : headers,
    },
    body,
    trailers: [],
  };
}

function withoutHopByHop(headers: RawHeaders): string[] {
  const named = valuesOf(headers, "connection")
    .flatMap((value) => value.split(","))
    .map((name) => name.trim().toLowerCase());
  const result: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? "";
    const lower = name.toLowerCase();
    if (!hopByHop.includes(lower) && !named.includes(lower)) result.push(name, headers[index + 1] ?? "");
  }
  return result;
}

function editedHeaders(edited: NonNullable<ReplayEdit["headers"]>, recorded: RawHeaders): string[] {
  const seen = new Map<string, number>();
  const headers = edited.flatMap(({ name, value }) => {
    if (!/^[!#$%&'*+\-.^_`|~\w]+$/.test(name))
      throw new PortholeError("usage", `"${name}" can't be the name of a header`);
    const lower = name.toLowerCase();
    const index = seen.get(lower) ?? 0;
    seen.set(lower, index + 1);
    const kept = value.includes(redactedMark) ? valuesOf(recorded, lower)[index] : value;
    if (kept === undefined)
      throw new PortholeError("usage", `The value of ${name} was taken out, and no such header was recorded`, {
        hint: "Write a value, or leave the header out.",
      });
    if (/[\0\r\n]/.test(kept) || /[^\t\x20-\xff]/.test(kept))
      throw new PortholeError("usage", `The value of ${name} has characters that a header can't have`);
    return [name, kept];
  });
  const host = valueOf(recorded, "host");
  return seen.has("host") || host === undefined ? headers : ["Host", host, ...headers];
}

function editedTarget(target: string, recorded: string): string {
  if (
    !/^(\/|\*$)/.test(target) ||
    /[\s\p{Cc}#]/u.test(target) ||
    /[^\x21-\x7e]/.test(target.replaceAll(redactedMark, ""))
  )
    throw new PortholeError("usage", `"${target}" is not a path with a query`, {
      hint: "It begins with a slash; spaces and other special characters are percent-encoded.",
    });
  if (!target.includes(redactedMark)) return target;
  const values = new Map<string, string[]>();
  for (const part of queryOf(recorded)) {
    const [name = ""] = part.split("=", 1);
    values.set(name, [...(values.get(name) ?? []), part.slice(name.length + 1)]);
  }
  const parts = queryOf(target).map((part) => {
    const [name = ""] = part.split("=", 1);
    const kept = values.get(name)?.shift();
    if (!part.includes(redactedMark)) return part;
    if (kept === undefined || part !== `${name}=${redactedMark}`)
      throw new PortholeError(
        "usage",
        `"${name}" in the query still has ${redactedMark}, and no such value was recorded`,
      );
    return `${name}=${kept}`;
  });
  const path = target.split("?", 1)[0] ?? "";
  if (path.includes(redactedMark)) throw new PortholeError("usage", `The path still has ${redactedMark} in it`);
  return `${path}?${parts.join("&")}`;
}

function queryOf(target: string): string[] {
  const start = target.indexOf("?");
  return start < 0 ? [] : target.slice(start + 1).split("&");
}

function editedBody(body: NonNullable<ReplayEdit["body"]>): Buffer {
  if ("base64" in body) return Buffer.from(body.base64, "base64");
  if (body.text.includes(redactedMark))
    throw new PortholeError("usage", `The body still has ${redactedMark} in it`, {
      hint: "Ask for the body unredacted, or write what belongs there.",
    });
  return Buffer.from(body.text);
}

function checkedMethod(method: string): string {
  if (/^[!#$%&'*+\-.^_`|~\w]{1,40}$/.test(method) && method !== "CONNECT") return method;
  throw new PortholeError("usage", `"${method}" can't be the method of a replay`);
}
