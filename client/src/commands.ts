import { PortholeError } from "@porthole/common/errors";
import { asksForAllHelp, helpText, type OptionTable } from "@porthole/common/options";
import { daemonOptions, runStdioDaemon } from "./daemon.ts";
import { doctor } from "./doctor.ts";
import { identity, identityHelp } from "./identity.ts";
import { inspect, inspectHelp } from "./inspect/commands.ts";
import { joinOptions, joinRelay, listRelays, relaysOptions } from "./join.ts";
import { clientOptions } from "./options.ts";
import { config, configOptions, down, downOptions, init, initOptions, up, upOptions } from "./project/index.ts";
import { mcpOptions, runMcp } from "./mcp/command.ts";
import { share, shareHelp } from "./share.ts";
import { logs, logsOptions } from "./logs.ts";
import { ls, runningOptions, status, stop } from "./status.ts";

/** What can be typed after `porthole`. */
interface Command {
  /** Its words in the program's help: `join [INVITE]`. */
  readonly usage: string;
  readonly help: string;
  /** The answer to `--help` after it. */
  helpText(argv: readonly string[], columns: number | undefined): string;
  /** It runs on when standard output fails; every other command ends. */
  readonly ownsOutput?: true;
  /** Reads the arguments after its name and does it. Rejects with a `PortholeError`. */
  run(argv: readonly string[]): Promise<void>;
}

const write = (text: string): void => void process.stdout.write(text);

export const commands: Readonly<Record<string, Command>> = {
  join: {
    usage: "join [INVITE]",
    help: "Remember a relay, so that porthole 3000 needs no --server",
    helpText: about(
      joinOptions,
      "porthole join 'porthole://join?...'",
      "Remembers the relay of an invite, so that porthole 3000 needs no --server. Without an argument the invite is read from standard input.",
    ),
    run: async (argv) => write(await joinRelay(argv)),
  },
  relays: {
    usage: "relays [remove HOST]",
    help: "The relays that are remembered",
    helpText: about(relaysOptions, "porthole relays", "The relays that are used when --server names none.", {
      "remove HOST[:PORT]": "Forget one",
    }),
    run: async (argv) => write(await listRelays(argv)),
  },
  up: {
    usage: "up [NAME...]",
    help: "Expose what porthole.toml describes",
    helpText: about(
      upOptions,
      "porthole up web",
      "Starts the tunnels of porthole.toml, or some of them: docs/tunnels.md.",
    ),
    ownsOutput: true,
    run: up,
  },
  down: {
    usage: "down [NAME...]",
    help: "End them",
    helpText: about(downOptions, "porthole down", "Ends the tunnels of porthole.toml, or some of them."),
    run: async (argv) => write(await down(argv)),
  },
  init: {
    usage: "init",
    help: "Write a porthole.toml for this folder",
    helpText: about(
      initOptions,
      "porthole init",
      "Writes porthole.toml with the development servers that the folder seems to have.",
    ),
    run: async (argv) => write(await init(argv)),
  },
  config: {
    usage: "config check",
    help: "Say what is wrong with porthole.toml",
    helpText: about(
      configOptions,
      "porthole config check",
      "Reads porthole.toml. Status 2 and the line when something is wrong with it.",
    ),
    run: async (argv) => write(config(argv)),
  },
  status: {
    usage: "status [--json]",
    help: "What the running client is doing",
    helpText: about(
      runningOptions,
      "porthole status",
      "URLs, relays, transports and certificates of the running client.",
    ),
    run: async (argv) => write(await status(argv)),
  },
  ls: {
    usage: "ls [--json]",
    help: "Its tunnels, one a line",
    helpText: about(runningOptions, "porthole ls", "Name, URL, local service and state of each running tunnel."),
    run: async (argv) => write(await ls(argv)),
  },
  logs: {
    usage: "logs [NAME] [--follow]",
    help: "What happened to a tunnel, and its visitors",
    helpText: about(
      logsOptions,
      "porthole logs web --follow",
      "States, visitors and requests of one tunnel, or of all.",
    ),
    run: logs,
  },
  stop: {
    usage: "stop [NAME...]",
    help: "End these tunnels, or all of them with the client",
    helpText: about(runningOptions, "porthole stop web", "Ends tunnels; without a name all of them, as Ctrl-C does."),
    run: async (argv) => write(await stop(argv)),
  },
  doctor: {
    usage: "doctor [OPTIONS]",
    help: "Check every hop from the local port to a visitor",
    helpText: about(
      clientOptions,
      "porthole doctor 3000 --server relay.example.com:4433",
      "Checks every hop of the running client, or of one with these options, and reports the first failure with a fix. Status 1 when one fails.",
    ),
    async run(argv) {
      const { text, status } = await doctor(withShortForm(argv));
      write(text);
      process.exitCode = status;
    },
  },
  identity: {
    usage: "identity show|export|import",
    help: "The key that the public name is made from",
    helpText: (_argv, columns) => identityHelp(columns),
    run: async (argv) => write(await identity(argv)),
  },
  daemon: {
    usage: "daemon --stdio",
    help: "Do what another program says: docs/rpc.md",
    helpText: about(
      daemonOptions,
      "porthole daemon --stdio",
      "For programs that drive tunnels: docs/rpc.md has what they say.",
    ),
    ownsOutput: true,
    run: runStdioDaemon,
  },
  mcp: {
    usage: "mcp [OPTIONS]",
    help: "Serve AI assistants: docs/assistants.md",
    helpText: about(
      mcpOptions,
      "porthole mcp",
      "Serves the Model Context Protocol on standard input and output. The options hold for every port that an assistant exposes.",
    ),
    ownsOutput: true,
    run: runMcp,
  },
  inspect: {
    usage: "inspect [FILTER]",
    help: "Visitors' requests as they come; inspect list|show|replay|export|clear|pause|resume",
    helpText: inspectHelp,
    run: inspect,
  },
  share: {
    usage: "share [--for 2h] [--label TEXT]",
    help: "A link that lets in, with --access-share; share list, share revoke ID",
    helpText: (_argv, columns) => shareHelp(columns),
    run: async (argv) => write(await share(argv)),
  },
};

/** `porthole 3000` is `porthole --local 3000`. */
export function withShortForm(argv: readonly string[]): readonly string[] {
  const [first, ...rest] = argv;
  return first !== undefined && !first.startsWith("-") ? ["--local", first, ...rest] : argv;
}

const portIsEnough = "porthole 3000 is enough to expose port 3000.";
/** For words that other tools have for it. */
const hintsFor: Readonly<Record<string, string>> = {
  http: portIsEnough,
  https: "porthole https://localhost:3443 exposes a service that speaks HTTPS.",
  tcp: "porthole tcp://localhost:5432 carries plain bytes.",
  start: portIsEnough,
  expose: portIsEnough,
  tunnel: portIsEnough,
  help: "porthole --help, or --help after a command.",
};

/** For a word that is neither a command nor, since it has no port, a local service. */
export function unknownCommand(name: string): PortholeError {
  const known = hintsFor[name.toLowerCase()];
  return new PortholeError("usage", `There is no command ${JSON.stringify(name)}`, {
    hint:
      known ?? `They are: ${Object.keys(commands).join(", ")}. A local service is a port (3000), host:port, or a URL.`,
  });
}

function about(
  options: OptionTable,
  example: string,
  summary: string,
  words?: Readonly<Record<string, string>>,
): Command["helpText"] {
  return (argv, columns) =>
    helpText(options, {
      ...{ example, summary, all: asksForAllHelp(argv) },
      ...(words && { commands: words }),
      ...(columns && { columns }),
    });
}
