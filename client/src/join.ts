import { createInterface } from "node:readline";
import { PortholeError } from "@porthole/common/errors";
import { JoinedRelays, parseInvite } from "@porthole/common/invite";
import { defineOptions, flag, formatHostPort, hostPort, path, readOptions } from "@porthole/common/options";
import { defaultApiPort } from "@porthole/common/protocol";
import { dataFolder, visibleJson } from "@porthole/common/util";

const stateDirOption = {
  help: "State folder of the client",
  parse: path,
  defaultHelp: "the platform's data folder",
} as const;
export const joinOptions = defineOptions({ "state-dir": stateDirOption });
export const relaysOptions = defineOptions({
  "state-dir": stateDirOption,
  json: { help: "One JSON object", parse: flag },
});

/** `porthole join [INVITE]`: remembers the relay. The next connection uses the token. */
export async function joinRelay(argv: readonly string[]): Promise<string> {
  const { values, positionals } = readOptions(joinOptions, argv, process.env, { maxPositionals: 1 });
  const invite = parseInvite(positionals[0] ?? (await readInvite()));
  const joined = await JoinedRelays.open(values["state-dir"] ?? dataFolder("porthole"));
  await joined.join(invite);
  const others = joined.all.length - 1;
  const beside = others === 0 ? "" : `, beside ${others} other${others === 1 ? "" : "s"} (porthole relays)`;
  const { certificateDirectory: directory } = invite;
  const authority =
    directory === undefined
      ? ""
      : `Certificates for its names are ordered from ${new URL(directory).host} (${directory}).\n`;
  return `${formatHostPort(invite.relay)} is remembered${beside}. ${authority}The first connection uses the invite up:\n\n  porthole 3000\n`;
}

/** `porthole relays [remove HOST[:PORT]]`: the relays that are used when none is named. */
export async function listRelays(argv: readonly string[]): Promise<string> {
  const { values, positionals } = readOptions(relaysOptions, argv, process.env, { maxPositionals: 2 });
  const joined = await JoinedRelays.open(values["state-dir"] ?? dataFolder("porthole"));
  const [action, server] = positionals;
  if (action === undefined) {
    const all = joined.all.map(({ token, ...relay }) => ({ ...relay, hasJoined: token === undefined }));
    if (values.json) return `${visibleJson(all)}\n`;
    if (all.length === 0) return "No relay is remembered. With an invite: porthole join\n";
    return all.map((relay) => `${formatHostPort(relay)}${relay.hasJoined ? "" : "  (invite not used yet)"}\n`).join("");
  }
  if (action !== "remove" || server === undefined)
    throw new PortholeError("usage", `porthole relays does not know ${positionals.join(" ")}`, {
      hint: "porthole relays, or porthole relays remove HOST:PORT.",
    });
  const relay = hostPort(defaultApiPort).parse(server);
  if (await joined.remove(relay)) return `${formatHostPort(relay)} is forgotten.\n`;
  throw new PortholeError("usage", `${formatHostPort(relay)} is not remembered`, {
    hint: "porthole relays lists them.",
  });
}

/** From the standard input: what is on a command line can be seen by every user of the machine. */
async function readInvite(): Promise<string> {
  if (process.stdin.isTTY) process.stderr.write("Invite: ");
  const lines = createInterface({ input: process.stdin });
  try {
    for await (const line of lines) return line;
  } finally {
    lines.close();
  }
  throw new PortholeError("usage", "There is no invite on the standard input", {
    hint: "porthole join 'porthole://join?...'",
  });
}
