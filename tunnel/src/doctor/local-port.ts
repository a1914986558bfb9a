import { PortholeError } from "@porthole/common/errors";
import { connectService, type GatewayMode, type LocalService } from "../gateway/index.ts";
import { failed, ok, warning, withDeadline, type Clock, type Finding } from "@porthole/common/util";
import { firstBytes } from "./first-bytes.ts";

/** A development server that compiles before it answers takes longer; that is no failure. */
const answerMs = 5_000;

export interface LocalPortOptions {
  readonly local: LocalService;
  readonly mode: GatewayMode;
  readonly clock: Clock;
}

/** Whether it listens, and speaks what it is taken for. */
export async function checkLocalPort(options: LocalPortOptions, signal: AbortSignal): Promise<Finding> {
  const { local, mode, clock } = options;
  try {
    const socket = await connectService(local, { clock, signal });
    try {
      if (mode === "tcp" || local.kind === "tcp" || local.kind === "h2c") return ok(`${local.text} listens.`);
      socket.write(`GET / HTTP/1.1\r\nHost: ${local.host}:${local.port}\r\nConnection: close\r\n\r\n`);
      const answer = await withDeadline({ clock, delayMs: answerMs, what: "Its answer", signal }, () =>
        firstBytes(socket),
      );
      return findingOf(local, answer);
    } finally {
      socket.destroy();
    }
  } catch (reason) {
    signal.throwIfAborted();
    const { code, message } = PortholeError.from(reason);
    if (code === "timeout")
      return warning(
        `${local.text} listens, and does not answer an HTTP request within ${answerMs / 1_000} s.`,
        "If it is still starting, wait. If it does not speak HTTP, write tcp:// before its address.",
      );
    if (local.kind === "https" && isTlsTrouble(reason))
      return failed(
        `${local.text} listens, and does not speak TLS.`,
        `If it speaks plain HTTP, write http://${local.host}:${local.port} as its address.`,
      );
    return failed(
      `${message}.`,
      `Start the local service, or name the port that it listens on instead of ${local.text}.`,
    );
  }
}

function findingOf({ text, kind, host, port }: LocalService, answer: string): Finding {
  const isTls = answer.startsWith("\x15\x03") || /plain HTTP request was sent to HTTPS|TLS/i.test(answer);
  if (isTls && kind !== "https")
    return failed(`${text} listens, and expects TLS.`, `Write https://${host}:${port} as its address.`);
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(answer)?.[1];
  if (status !== undefined)
    return ok(`${text} listens and speaks ${kind === "https" ? "HTTPS" : "HTTP"} (status ${status}).`);
  if (answer === "")
    return warning(
      `${text} listens, and ends the connection when it is asked for /.`,
      "If it does not speak HTTP, write tcp:// before its address.",
    );
  return warning(
    `${text} listens, and speaks something else than HTTP.`,
    "Write tcp:// before its address, to say so.",
  );
}

/** OpenSSL's and BoringSSL's words for bytes that are no TLS. */
function isTlsTrouble(reason: unknown): boolean {
  const { cause } = PortholeError.from(reason);
  const code = cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined;
  return code === "EPROTO" || code?.startsWith("ERR_SSL_") === true;
}
