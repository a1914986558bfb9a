import { readFile } from "node:fs/promises";
import { stateError } from "@porthole/common/util";
import { editableText, editOf, readRecordedBody } from "@porthole/tunnel/requests";
import type { ReplayEdit } from "@porthole/tunnel/rpc";
import type { TunnelClient } from "../running-client.ts";
import { inEditor } from "./in-editor.ts";
import { parseHeader } from "./parse-header.ts";

const howToEdit = "Change the request, save and close: it is sent to the local service. An empty file sends nothing.";

/** Undefined when the user has emptied the file. */
export async function edited(client: TunnelClient, id: string): Promise<ReplayEdit | undefined> {
  const { tunnel } = client;
  const detail = await client.call("inspect/get", { tunnel, id });
  const recorded = await readRecordedBody((query) => client.call("inspect/body", { ...query, tunnel }), detail);
  const before = editableText(detail, recorded, howToEdit);
  const after = await inEditor(before);
  if (after.trim() === "") return undefined;
  // Editors end the last line.
  return editOf(after.endsWith("\n") && !before.endsWith("\n") ? after.slice(0, -1) : after, recorded);
}

export interface ReplayFlags {
  readonly method: string | undefined;
  readonly target: string | undefined;
  readonly header: readonly string[];
  readonly "body-file": string | undefined;
}

/** Undefined when no flag changes the request. */
export async function editFrom(client: TunnelClient, id: string, flags: ReplayFlags): Promise<ReplayEdit | undefined> {
  const { method, target, header, "body-file": bodyFile } = flags;
  const given = header.map((line) => parseHeader(line));
  if (method === undefined && target === undefined && given.length === 0 && bodyFile === undefined) return undefined;
  const { request } =
    given.length > 0 ? await client.call("inspect/get", { tunnel: client.tunnel, id }) : { request: undefined };
  const kept = (request?.forwarded?.headers ?? []).filter(
    ({ name }) => !given.some((own) => own.name.toLowerCase() === name.toLowerCase()),
  );
  return {
    ...(method !== undefined && { method }),
    ...(target !== undefined && { target }),
    ...(given.length > 0 && { headers: [...kept, ...given] }),
    ...(bodyFile !== undefined && { body: { base64: await readBody(bodyFile) } }),
  };
}

async function readBody(path: string): Promise<string> {
  try {
    return await readFile(path, "base64");
  } catch (reason) {
    throw stateError("read", path, reason);
  }
}
