import { join } from "node:path";
import { text as readText } from "node:stream/consumers";
import { PortholeError } from "@porthole/common/errors";
import { encryptKey, parseGivenKey, parseKey, type IdentityKey } from "@porthole/common/identity";
import { JoinedRelays } from "@porthole/common/invite";
import { defineOptions, flag, formatHostPort, helpText, path, readOptions, text } from "@porthole/common/options";
import type { EndpointView } from "@porthole/tunnel/rpc";
import { createFileAtomic, dataFolder, readFileIfExists, visibleJson, writeFileAtomic } from "@porthole/common/util";
import { clientOptions } from "./options.ts";
import { printable } from "./printable.ts";
import { attachIfRunning } from "./running-client.ts";

export const identityOptions = defineOptions({
  passphrase: { help: "Encrypts what is exported, opens what is imported", parse: text, secret: true },
  force: { help: "Replace what is there", parse: flag },
  "primary-key": { help: "Key file of the client", parse: path, defaultHelp: "in the state folder" },
  "state-dir": clientOptions["state-dir"],
  json: { help: "For show: one JSON object", parse: flag },
});

/** The answer to `porthole identity --help`. */
export function identityHelp(columns: number | undefined): string {
  return helpText(identityOptions, {
    example: "porthole identity export --passphrase-file passphrase.txt my-key.pem",
    summary: "The key behind the public name. Keep it secret: it is the name.",
    commands: {
      show: "Client id, fingerprint, key file, and the public URLs while a client runs",
      "export FILE|-": "A copy of the key; - writes it to standard output",
      "import FILE|-": "Make this key the client's: PEM, such as export has written; - reads standard input",
    },
    ...(columns && { columns }),
  });
}

/** `porthole identity show|export|import`: what to print. */
export async function identity(argv: readonly string[]): Promise<string> {
  const { values, positionals } = readOptions(identityOptions, argv, process.env, { maxPositionals: 2 });
  const [action, file] = positionals;
  const stateDir = values["state-dir"] ?? dataFolder("porthole");
  const place: Place = { stateDir, keyPath: values["primary-key"] ?? join(stateDir, "primary-key.pem"), ...values };
  if (action === "show" && file === undefined) return show(place);
  if (action === "export" && file !== undefined) return exportKey(place, file);
  if (action === "import" && file !== undefined) return importKey(place, file);
  throw new PortholeError("usage", "porthole identity needs to know what to do", {
    hint: "porthole identity show, export FILE, or import FILE; export - writes the key to standard output.",
  });
}

interface Place extends Pick<
  ReturnType<typeof readOptions<typeof identityOptions>>["values"],
  "passphrase" | "force" | "json"
> {
  readonly stateDir: string;
  readonly keyPath: string;
}

async function show({ keyPath, stateDir, json }: Place): Promise<string> {
  const { clientId, fingerprint, kind } = await presentKey(keyPath);
  const urls = (await runningEndpoints(stateDir))?.find((each) => each.clientId === clientId)?.urls ?? [];
  if (json) return `${visibleJson({ clientId, fingerprint, kind, keyFile: keyPath, urls })}\n`;
  const lines = [`ID: ${clientId}`, `Fingerprint: ${fingerprint}`, `Key file: ${keyPath}`];
  return `${[...lines, ...urls.map((url) => `URL: ${printable(url)}`)].join("\n")}\n`;
}

async function exportKey({ keyPath, stateDir, passphrase, force }: Place, file: string): Promise<string> {
  const key = await presentKey(keyPath);
  const pem = passphrase ? encryptKey(key, passphrase) : key.pem;
  if (file === "-") return pem;
  if (force) await writeFileAtomic(file, pem);
  else if (!(await createFileAtomic(file, pem)))
    throw new PortholeError("state", `${file} exists`, { hint: "Name another file, or replace it with --force." });
  const care = passphrase ? "It takes the passphrase to use it." : "Everyone who can read it can take over the name.";
  return `The key of ${key.clientId} is in ${file}. ${care}\n${await elsewhere(stateDir)}`;
}

/** A relay that was joined knows the key already: elsewhere it takes no invite, but the relay's address and pin. */
async function elsewhere(stateDir: string): Promise<string> {
  const { all } = await JoinedRelays.open(stateDir);
  const relay = all.find(({ token }) => token === undefined);
  if (!relay) return "";
  const pin = relay.pin === undefined ? "" : ` --server-fingerprint ${relay.pin}`;
  return `On another machine, after importing it:\n\n  porthole 3000 --server ${formatHostPort(relay)}${pin}\n`;
}

async function importKey({ keyPath, stateDir, passphrase, force }: Place, file: string): Promise<string> {
  const where = file === "-" ? "standard input" : file;
  const pem = file === "-" ? await readText(process.stdin) : (await readFileIfExists(file))?.toString("latin1");
  if (pem === undefined) throw new PortholeError("usage", `There is no file ${file}`, { hint: "Check the path." });
  if (!passphrase && pem.includes("ENCRYPTED"))
    throw new PortholeError("usage", `The key in ${where} is encrypted`, {
      hint: "Put its passphrase into a file and add --passphrase-file PATH.",
    });
  const key = parseGivenKey(pem, where, passphrase);
  if (!force && !(await createFileAtomic(keyPath, key.pem))) {
    const lost = await describePresent(keyPath);
    if (lost === key.clientId) return `${key.clientId} is the client's identity already.\n`;
    throw new PortholeError("state", `${keyPath} has the key of ${lost}, and it would be lost with its public name`, {
      hint: "Keep a copy with porthole identity export FILE, then import with --force.",
    });
  }
  if (force) await writeFileAtomic(keyPath, key.pem);
  const running = (await runningEndpoints(stateDir))
    ? " The running client uses the old one until it is restarted."
    : "";
  return `The client is ${key.clientId} from now on.${running}\n`;
}

/** Nothing is made here: a look must not decide about a name. */
async function presentKey(keyPath: string): Promise<IdentityKey> {
  const pem = await readFileIfExists(keyPath);
  if (pem) return parseKey(pem.toString("latin1"), keyPath);
  throw new PortholeError("state", `There is no key in ${keyPath} yet`, {
    hint: "The client makes it at its first start; porthole identity import FILE brings one along.",
  });
}

/** The client id of what is there; what is damaged may still be mended, and counts too. */
async function describePresent(keyPath: string): Promise<string> {
  try {
    return (await presentKey(keyPath)).clientId;
  } catch {
    return "somebody (it can't be read)";
  }
}

/** Undefined when no client runs. */
async function runningEndpoints(stateDir: string): Promise<readonly EndpointView[] | undefined> {
  const client = await attachIfRunning(stateDir);
  try {
    const list = await client?.call("tunnel/list", {});
    return list?.tunnels.flatMap(({ state }) => state.endpoints);
  } finally {
    client?.close();
  }
}
