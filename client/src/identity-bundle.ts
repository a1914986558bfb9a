import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import { parseKey, type IdentityKey } from "@porthole/common/identity";
import { JoinedRelays, type Bundle, type BundledIdentity } from "@porthole/common/invite";
import { formatHostPort } from "@porthole/common/options";
import { readFileIfExists, stateError, writeFileAtomic } from "@porthole/common/util";
import { describePresent, untilRestart, wouldBeLost, type Place } from "./identity-place.ts";

/** Everything of a client that another machine needs: its own key, those of its tunnels, and the relays that know them. */
export async function presentBundle({ stateDir }: Place, primary: IdentityKey): Promise<Bundle> {
  const names = await tunnelNames(stateDir);
  const tunnels = names.map(async (name): Promise<BundledIdentity> => {
    const path = join(stateDir, "tunnels", `${name}.pem`);
    return { name: `tunnels/${name}`, key: parseKey(((await readFileIfExists(path)) ?? "").toString(), path) };
  });
  const { all } = await JoinedRelays.open(stateDir);
  return { identities: [{ name: "primary", key: primary }, ...(await Promise.all(tunnels))], relays: all };
}

/** Puts a bundle into the state folder: all of it, or nothing when something else would be lost. Returns what to print. */
export async function importBundle(place: Place, bundle: Bundle): Promise<string> {
  const { stateDir, keyPath, force } = place;
  const files = bundle.identities.map(({ name, key }) => ({
    key,
    path: name === "primary" ? keyPath : join(stateDir, `${name}.pem`),
  }));
  const joined = await JoinedRelays.open(stateDir);
  if (!force) {
    for (const { key, path } of files) {
      const isThere = (await readFileIfExists(path)) !== undefined;
      const present = isThere ? await describePresent(path) : key.clientId;
      if (present !== key.clientId) throw wouldBeLost(path, present);
    }
    for (const relay of bundle.relays) checkPin(relay, joined);
  }
  for (const { key, path } of files) await writeFileAtomic(path, key.pem);
  for (const relay of bundle.relays) if (force || !joined.find(relay)) await joined.add(relay);
  return `${described(bundle)} in ${stateDir} from now on.${await untilRestart(stateDir)}\n`;
}

/** "2 keys and 1 relay are". */
export function described({ identities, relays }: Bundle): string {
  const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;
  return `${counted(identities.length, "key")} and ${counted(relays.length, "relay")} are`;
}

function checkPin(relay: Bundle["relays"][number], joined: JoinedRelays): void {
  const known = joined.find(relay);
  if (known?.pin === undefined || known.pin === relay.pin) return;
  throw new PortholeError("untrusted", `The bundle has another fingerprint for ${formatHostPort(relay)}`, {
    hint: "If the bundle is right, import it with --force.",
  });
}

async function tunnelNames(stateDir: string): Promise<readonly string[]> {
  const folder = join(stateDir, "tunnels");
  if (!existsSync(folder)) return [];
  try {
    return (await readdir(folder)).flatMap((file) => /^([a-z0-9][a-z0-9._-]*)\.pem$/.exec(file)?.[1] ?? []).toSorted();
  } catch (reason) {
    throw stateError("read", folder, reason);
  }
}
