import { nearestOf } from "@porthole/common/options";

/** Words of other tools before a port, and what is meant by them here. */
const words: Readonly<Record<string, (port: string) => string>> = {
  http: (port) => `porthole ${port}`,
  https: (port) => `porthole https://localhost:${port}`,
  tls: (port) => `porthole tcp://localhost:${port}`,
  tcp: (port) => `porthole tcp://localhost:${port}`,
  start: (port) => `porthole ${port}`,
  serve: (port) => `porthole ${port}`,
  expose: (port) => `porthole ${port}`,
  run: (port) => `porthole ${port}`,
  share: (port) => `porthole ${port}`,
};

/** Returns the command that was probably meant by arguments that make none, as a sentence; undefined when nothing is near. */
export function didYouMean(argv: readonly string[], commands: readonly string[]): string | undefined {
  const [first = "", second = ""] = argv;
  const port = /^\d{1,5}$/.exec(second)?.[0];
  const word = Object.hasOwn(words, first) ? words[first] : undefined;
  if (word && (port !== undefined || second === "")) return `Did you mean ${word(port ?? "3000")}?`;
  if (/^:\d{1,5}$/.test(first)) return `Did you mean porthole ${first.slice(1)}?`;
  if (/^\d{1,5}(,\d{1,5})+$/.test(first)) return `Did you mean porthole ${first.replaceAll(",", " ")}?`;
  if (/^(\.{1,2}|~|)[/\\]|^\.{1,2}$|[/\\]$|\.(html?|zip)$/.test(first) && !first.includes("://"))
    return "Files can't be exposed by themselves. Serve them first: python3 -m http.server 8000, then porthole 8000.";
  const url = /^(https?:\/\/[^/]+)\/.+$/.exec(first)?.[1];
  if (url !== undefined) return `A service has no path here. Did you mean porthole ${url}?`;
  const nearest = /^[a-z]+$/i.test(first) ? nearestOf(first.toLowerCase(), commands) : undefined;
  return nearest === undefined ? undefined : `Did you mean porthole ${nearest}?`;
}
