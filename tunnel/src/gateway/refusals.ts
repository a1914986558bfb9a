import { valueOf, type RawHeaders } from "../http/index.ts";

/** How development servers refuse a name that they don't know. All of these have been seen in their answers. */
interface Signature {
  readonly server: string;
  /** 0 where the server does not even answer in HTTP. */
  readonly status: number;
  readonly text: string;
  /** Only for paths that begin so. */
  readonly path?: string;
}

const signatures: readonly Signature[] = [
  // Also Nuxt, Astro, SvelteKit and the Angular CLI, which are built on it.
  { server: "Vite", status: 403, text: "Blocked request. This host" },
  { server: "webpack-dev-server", status: 200, text: "Invalid Host header" },
  { server: "webpack-dev-server", status: 403, text: "Invalid Host header" },
  { server: "Next.js", status: 403, text: "Unauthorized", path: "/_next/" },
  { server: "Next.js", status: 0, text: "Unauthorized", path: "/_next/" },
  { server: "Django", status: 400, text: "DisallowedHost" },
  { server: "Rails", status: 403, text: "Blocked host" },
];

/** A refusal's text stands near the beginning of its page. */
export const peekBytes = 16 * 1024;
/** webpack-dev-server's is its whole answer, with a status that every page has. */
const shortBytes = 64;

/** Whether a look at the body could show a refusal. False for nearly every answer, whose body then goes on untouched. */
export function mayBeRefusal(status: number, headers: RawHeaders): boolean {
  if (!signatures.some((signature) => signature.status === status)) return false;
  if (valueOf(headers, "content-encoding") !== undefined) return false;
  const type = valueOf(headers, "content-type");
  if (type !== undefined && !/^text\//i.test(type)) return false;
  const length = Number(valueOf(headers, "content-length"));
  return status !== 200 || length <= shortBytes;
}

/** The server that refused, by the beginning of its answer's body. */
export function refusedBy(status: number, target: string, body: Buffer): string | undefined {
  const text = body.toString("latin1");
  return signatures.find(
    (each) =>
      each.status === status &&
      (each.path === undefined ? text.includes(each.text) : target.startsWith(each.path) && text.trim() === each.text),
  )?.server;
}
