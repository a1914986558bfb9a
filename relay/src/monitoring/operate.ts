import type { IncomingMessage } from "node:http";
import { PortholeError } from "@porthole/common/errors";
import { durationMs } from "@porthole/common/options";
import { sameSecret, type Secret } from "@porthole/common/util";

/** Operations of the admin page. Commands of the same names do the same. */
export interface Operations {
  /** Ends a client's links. Returns how many. Throws `usage` for what is no client id. */
  disconnect(client: string): number | Promise<number>;
  /** Keeps a client, a network or a name out, for good when there is no time. Rejects with `usage`. */
  ban(what: string, lastsMs: number | undefined): Promise<void>;
  /** Makes an invite for one client, within a day. Returns its link. */
  invite(label: string | undefined): Promise<string>;
}

const maxFormBytes = 4_096;

/** Whether a request has the token, as the password of HTTP's basic authentication or as a bearer token. */
export function hasToken({ headers }: IncomingMessage, token: Secret): boolean {
  const [, scheme = "", value = ""] = /^(basic|bearer) +(\S+)$/i.exec(headers.authorization ?? "") ?? [];
  const given =
    scheme.toLowerCase() === "basic"
      ? Buffer.from(value, "base64")
          .toString()
          .replace(/^[^:]*:/, "")
      : value;
  return sameSecret(given, token.reveal());
}

/** A browser sends the password with forms of other sites, too, but says where they are from. */
export function isFromPage({ headers }: IncomingMessage): boolean {
  const { origin, host } = headers;
  if (origin !== undefined) return origin === `http://${host}` || origin === `https://${host}`;
  const site = headers["sec-fetch-site"];
  return site === undefined || site === "same-origin";
}

/** Does what a form asks for. Returns what to tell its sender. Rejects with `usage` or `limit`. */
export async function operate(request: IncomingMessage, operations: Operations): Promise<string> {
  const form = new URLSearchParams(await readForm(request));
  const what = (form.get("what") ?? "").trim();
  switch (form.get("action")) {
    case "disconnect": {
      const links = await operations.disconnect(what);
      return links === 0 ? `No client ${what} is connected.` : `Links of ${what} ended: ${links}.`;
    }
    case "ban": {
      if (what === "") throw new PortholeError("usage", "Say whom to ban");
      const lasts = form.get("for") || undefined;
      await operations.ban(what, lasts === undefined ? undefined : durationMs.parse(lasts));
      return `${what} is banned${lasts === undefined ? "" : ` for ${lasts}`}.`;
    }
    case "invite":
      return `One client can join within a day: ${await operations.invite(what === "" ? undefined : what)}`;
    default:
      throw new PortholeError("usage", "There are disconnect, ban and invite");
  }
}

async function readForm(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxFormBytes) throw new PortholeError("limit", "The form is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
