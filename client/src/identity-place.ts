import { PortholeError } from "@porthole/common/errors";
import { parseKey, type IdentityKey } from "@porthole/common/identity";
import { readFileIfExists, type Secret } from "@porthole/common/util";
import type { EndpointView } from "@porthole/tunnel/rpc";
import { attachIfRunning } from "./running-client.ts";

/** The place of a client's key, and the options of `porthole identity`. */
export interface Place {
  readonly stateDir: string;
  readonly keyPath: string;
  readonly passphrase?: Secret | undefined;
  readonly force?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly all?: boolean | undefined;
}

export async function untilRestart(stateDir: string): Promise<string> {
  const isRunning = await runningEndpoints(stateDir);
  return isRunning ? " The running client uses the old one until it is restarted." : "";
}

export function wouldBeLost(keyPath: string, lost: string): PortholeError {
  return new PortholeError("state", `${keyPath} has the key of ${lost}, and it would be lost with its public name`, {
    hint: "Keep a copy with porthole identity export FILE, then import with --force.",
  });
}

/** Nothing is made here: a look must not decide about a name. */
export async function presentKey(keyPath: string): Promise<IdentityKey> {
  const pem = await readFileIfExists(keyPath);
  if (pem) return parseKey(pem.toString("latin1"), keyPath);
  throw new PortholeError("state", `There is no key in ${keyPath} yet`, {
    hint: "The client makes it at its first start; porthole identity import FILE brings one along.",
  });
}

/** The client id of what is there; what is damaged may still be mended, and counts too. */
export async function describePresent(keyPath: string): Promise<string> {
  try {
    return (await presentKey(keyPath)).clientId;
  } catch {
    return "somebody (it can't be read)";
  }
}

/** Undefined when no client runs. */
export async function runningEndpoints(stateDir: string): Promise<readonly EndpointView[] | undefined> {
  const client = await attachIfRunning(stateDir);
  try {
    const list = await client?.call("tunnel/list", {});
    return list?.tunnels.flatMap(({ state }) => state.endpoints);
  } finally {
    client?.close();
  }
}
