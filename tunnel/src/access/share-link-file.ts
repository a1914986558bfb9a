import { readJson, writeJson } from "@porthole/common/util";
import type { ShareLinkStore, StoredShareLink } from "./share-links.ts";

/** Links in a file of the state folder. Reading rejects with `state` when it is damaged: no link is lost silently. */
export function fileShareLinks(path: string): ShareLinkStore {
  return {
    load: async () => (await readJson(path, readLinks)) ?? [],
    save: (links) => writeJson(path, { links }),
  };
}

function readLinks(value: unknown): StoredShareLink[] {
  const links = (value as { links?: unknown } | null)?.links;
  if (!Array.isArray(links)) throw new Error("it has no list of links");
  return links.map((link: unknown, index) => readLink(link, index));
}

function readLink(value: unknown, index: number): StoredShareLink {
  const { id, hash, label, createdAt, endsAt } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (
    typeof id !== "string" ||
    !/^[0-9a-f]{10}$/.test(id) ||
    typeof hash !== "string" ||
    !/^[0-9a-f]{64}$/.test(hash) ||
    typeof label !== "string" ||
    typeof createdAt !== "number" ||
    (endsAt !== undefined && typeof endsAt !== "number")
  )
    throw new Error(`link ${index + 1} is not complete`);
  return { id, hash, label, createdAt, ...(endsAt === undefined ? {} : { endsAt }) };
}
