import { valueOf, type RawHeaders } from "../http/index.ts";

/** How development servers refuse a name that they don't know. All of these have been seen in their answers. */
interface Signature {
  readonly server: string;
  readonly status: number;
  readonly text: string;
}

const signatures: readonly Signature[] = [
  // Also Nuxt, Astro, SvelteKit and the Angular CLI, which are built on it.
  { server: "Vite", status: 403, text: "Blocked request. This host" },
  { server: "webpack-dev-server", status: 200, text: "Invalid Host header" },
  { server: "webpack-dev-server", status: 403, text: "Invalid Host header" },
  { server: "Next.js", status: 403, text: "Unauthorized" },
  { server: "Django", status: 400, text: "DisallowedHost" },
  { server: "Rails", status: 403, text: "Blocked host" },
  { server: "IIS Express", status: 400, text: "Invalid Hostname" },
];
const refusingStatuses: ReadonlySet<number> = new Set([400, 401, 403, 421]);
/** webpack-dev-server's is its whole answer, with a status that every page has. */
const webpackRefusal = "Invalid Host header";

/** Whether an answer could refuse the name that was asked for. Only a hint: visitors can bring about any of these. */
export function mayRefuseName(status: number, headers: RawHeaders): boolean {
  if (refusingStatuses.has(status)) return true;
  return status === 200 && valueOf(headers, "content-length") === String(webpackRefusal.length);
}

/** Whether an answer to a request of our own refuses its name; status 0 where the service did not even answer in HTTP. */
export function refusesName(status: number, body: string): boolean {
  return status === 0 || refusingStatuses.has(status) || (status === 200 && body.trim() === webpackRefusal);
}

/** The program that refuses in this way, for people; undefined where it is not known. */
export function serverOf(status: number, body: string): string | undefined {
  return signatures.find((each) => each.status === status && body.includes(each.text))?.server;
}
