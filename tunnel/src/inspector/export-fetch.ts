import { isUtf8 } from "node:buffer";
import { visibleJson } from "@porthole/common/util";
import { withoutOwnHeaders, type ExportedRequest } from "./export-request.ts";

/** JavaScript that sends the request, for Node and, where it lets scripts set such headers, a browser. */
export function fetchCode(request: ExportedRequest): string {
  const { method, origin, target, body } = request;
  // fetch sends the URL's Host and no other.
  const headers = withoutOwnHeaders(request.headers, origin).filter(({ name }) => name.toLowerCase() !== "host");
  const lines = [
    `await fetch(${literal(origin + (target === "*" ? "/" : target))}, {`,
    `  method: ${literal(method)},`,
  ];
  if (headers.length > 0) {
    lines.push("  headers: [");
    for (const { name, value } of headers) lines.push(`    [${literal(name)}, ${literal(value)}],`);
    lines.push("  ],");
  }
  if (body.length > 0) lines.push(`  body: ${bodyCode(body)},`);
  lines.push('  redirect: "manual",', "});");
  return lines.join("\n");
}

function bodyCode(body: Buffer): string {
  if (isUtf8(body)) return literal(body.toString());
  return `Uint8Array.from(atob(${literal(body.toString("base64"))}), (char) => char.charCodeAt(0))`;
}

/** Safe in a script element, too. */
function literal(text: string): string {
  return visibleJson(text).replaceAll("</", "<\\/");
}
