import type { RawHeaders } from "../http/index.ts";
import type { Allowed } from "./policy.ts";

interface Head {
  readonly target: string;
  readonly headers: RawHeaders;
}

/** The head without what belongs to Porthole. What stays is the same byte for byte, and the same object when nothing goes. */
export function withoutStripped<T extends Head>(head: T, strip: Allowed["strip"]): T {
  if (!strip) return head;
  const target = strip.query ? withoutParameters(head.target, strip.query) : head.target;
  const headers: string[] = [];
  for (let index = 0; index + 1 < head.headers.length; index += 2) {
    const name = head.headers[index] ?? "";
    const lower = name.toLowerCase();
    if (strip.headers?.includes(lower)) continue;
    const value = head.headers[index + 1] ?? "";
    if (lower !== "cookie" || !strip.cookies) {
      headers.push(name, value);
      continue;
    }
    const rest = withoutCookies(value, strip.cookies);
    if (rest !== "") headers.push(name, rest);
  }
  return { ...head, target, headers };
}

/** The target without these query parameters. */
export function withoutParameters(target: string, names: readonly string[]): string {
  const start = target.indexOf("?");
  if (start < 0) return target;
  const kept = target
    .slice(start + 1)
    .split("&")
    .filter((part) => !names.includes(part.split("=", 1)[0] ?? ""));
  return kept.length === 0 ? target.slice(0, start) : `${target.slice(0, start)}?${kept.join("&")}`;
}

function withoutCookies(header: string, names: readonly string[]): string {
  const pairs = header.split(";");
  const kept = pairs.filter((pair) => !names.includes(pair.trim().split("=", 1)[0] ?? ""));
  return kept.length === pairs.length ? header : kept.join(";").trimStart();
}
