import { join } from "node:path";
import { text as readText } from "node:stream/consumers";
import { PortholeError } from "@porthole/common/errors";
import { encryptKey, parseGivenKey } from "@porthole/common/identity";
import { formatBundle, isBundle, JoinedRelays, parseBundle } from "@porthole/common/invite";
import { defineOptions, flag, formatHostPort, helpText, path, readOptions, text } from "@porthole/common/options";
import { createFileAtomic, dataFolder, readFileIfExists, visibleJson, writeFileAtomic } from "@porthole/common/util";
import { described, importBundle, presentBundle } from "./identity-bundle.ts";
import {
  describePresent,
  presentKey,
  runningEndpoints,
  untilRestart,
  wouldBeLost,
  type Place,
} from "./identity-place.ts";
import { clientOptions } from "./options.ts";
import { printable } from "./printable.ts";

export const identityOptions = defineOptions({
  passphrase: { help: "Encrypts what is exported, opens what is imported", parse: text, secret: true },
  all: { help: "For export: every tunnel's key and the relays, too", parse: flag },
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
      "export FILE|-":
        "A copy of the key; - writes it to standard output. With --all everything that another machine needs",
      "import FILE|-": "Make this the client's: a key in PEM form, or a bundle of export --all; - reads standard input",
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

async function show({ keyPath, stateDir, json }: Place): Promise<string> {
  const { clientId, fingerprint, kind } = await presentKey(keyPath);
  const urls = (await runningEndpoints(stateDir))?.find((each) => each.clientId === clientId)?.urls ?? [];
  if (json) return `${visibleJson({ clientId, fingerprint, kind, keyFile: keyPath, urls })}\n`;
  const lines = [`ID: ${clientId}`, `Fingerprint: ${fingerprint}`, `Key file: ${keyPath}`];
  return `${[...lines, ...urls.map((url) => `URL: ${printable(url)}`)].join("\n")}\n`;
}

async function exportKey(place: Place, file: string): Promise<string> {
  const { keyPath, stateDir, passphrase, force, all } = place;
  const key = await presentKey(keyPath);
  const bundle = all ? await presentBundle(place, key) : undefined;
  const text = bundle ? await formatBundle(bundle, passphrase) : passphrase ? encryptKey(key, passphrase) : key.pem;
  if (file === "-") return text;
  if (force) await writeFileAtomic(file, text);
  else if (!(await createFileAtomic(file, text)))
    throw new PortholeError("state", `${file} exists`, { hint: "Name another file, or replace it with --force." });
  const care = passphrase ? "It takes the passphrase to use it." : "Everyone who can read it can take over the name.";
  if (bundle) return `${described(bundle)} in ${file}. ${care}\nOn another machine: porthole identity import FILE\n`;
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

async function importKey(place: Place, file: string): Promise<string> {
  const { keyPath, stateDir, passphrase, force } = place;
  const where = file === "-" ? "standard input" : file;
  const text = file === "-" ? await readText(process.stdin) : (await readFileIfExists(file))?.toString("latin1");
  if (text === undefined) throw new PortholeError("usage", `There is no file ${file}`, { hint: "Check the path." });
  if (!passphrase && text.includes("ENCRYPTED"))
    throw new PortholeError("usage", `What is in ${where} is encrypted`, {
      hint: "Put its passphrase into a file and add --passphrase-file PATH.",
    });
  if (isBundle(text)) return importBundle(place, await parseBundle(text, where, passphrase));
  const key = parseGivenKey(text, where, passphrase);
  if (!force && !(await createFileAtomic(keyPath, key.pem))) {
    const lost = await describePresent(keyPath);
    if (lost === key.clientId) return `${key.clientId} is the client's identity already.\n`;
    throw wouldBeLost(keyPath, lost);
  }
  if (force) await writeFileAtomic(keyPath, key.pem);
  return `The client is ${key.clientId} from now on.${await untilRestart(stateDir)}\n`;
}
