import type { LoggedMessage } from "./message-log.ts";
import type { Redactor } from "./redactor.ts";
import type { MessageView } from "./views.ts";

/** Returns a message for display. Without a redactor everything is shown. */
export function messageViewOf({ seq, atMs, message }: LoggedMessage, redactor: Redactor | undefined): MessageView {
  const { data, closeCode, event } = message;
  const { from, type, bytes, fragments, compressed } = message;
  const isBytes = type === "binary" || type === "ping" || type === "pong";
  const text = data.toString("utf8");
  return {
    seq,
    from,
    atMs,
    type,
    bytes,
    ...(fragments !== undefined && { fragments }),
    ...(compressed && { compressed }),
    ...(isBytes ? { base64: data.toString("base64") } : { text: redactor ? redactor.text(text) : text }),
    ...(type !== "close" && type !== "invalid" && data.length < bytes && { truncated: true }),
    ...(closeCode !== undefined && { closeCode }),
    ...(event && { event: { ...event, ...(redactor && event.id !== undefined && { id: redactor.text(event.id) }) } }),
    redacted: redactor !== undefined,
  };
}
