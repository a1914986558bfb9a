import { PortholeError } from "@porthole/common/errors";
import { asksForAllHelp, defineOptions, helpText, type OptionTable } from "@porthole/common/options";
import { completion } from "./completion.ts";
import { connect, connectOptions } from "./connect/index.ts";
import { daemonOptions, runStdioDaemon } from "./daemon.ts";
import { demoOptions } from "./demo/options.ts";
import { didYouMean } from "./did-you-mean.ts";
import { doctor } from "./doctor.ts";
import { identity, identityHelp, identityOptions } from "./identity.ts";
import { inspect, inspectHelp, inspectOptions } from "./inspect/commands.ts";
import { joinOptions, joinRelay, listRelays, relaysOptions } from "./join.ts";
import { clientOptions } from "./options.ts";
import { config, configOptions, down, downOptions, init, initOptions, up, upOptions } from "./project/index.ts";
import { mcpOptions, runMcp } from "./mcp/command.ts";
import { share, shareHelp, shareOptions } from "./share.ts";
import { logs, logsOptions } from "./logs.ts";
import { ls, runningOptions, status, stop } from "./status.ts";

/** A command of `porthole`. */
interface Command {
  /** Its words in the program's help: `join [INVITE]`. */
  readonly usage: string;
  readonly help: string;
  /** Its own options, for completion. */
  readonly options: OptionTable;
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
    ...about(
      joinOptions,
      "porthole join 'porthole://join?...'",
      "Remembers the relay of an invite, so that porthole 3000 needs no --server. Without an argument the invite is read from standard input.",
    ),
    run: async (argv) => write(await joinRelay(argv)),
  },
  relays: {
    usage: "relays [remove HOST]",
    help: "The relays that are remembered",
    ...about(relaysOptions, "porthole relays", "The relays that are used when --server names none.", {
      "remove HOST[:PORT]": "Forget one",
    }),
    run: async (argv) => write(await listRelays(argv)),
  },
  up: {
    usage: "up [NAME...]",
    help: "Expose what porthole.toml describes",
    ...about(upOptions, "porthole up web", "Starts the tunnels of porthole.toml, or some of them: docs/tunnels.md."),
    ownsOutput: true,
    run: up,
  },
  down: {
    usage: "down [NAME...]",
    help: "End the tunnels of porthole.toml",
    ...about(downOptions, "porthole down", "Ends the tunnels of porthole.toml, or some of them."),
    run: async (argv) => write(await down(argv)),
  },
  init: {
    usage: "init",
    help: "Write a porthole.toml for this folder",
    ...about(
      initOptions,
      "porthole init",
      "Writes porthole.toml with the development servers that the folder seems to have.",
    ),
    run: async (argv) => write(await init(argv)),
  },
  config: {
    usage: "config check",
    help: "Say what is wrong with porthole.toml",
    ...about(
      configOptions,
      "porthole config check",
      "Reads porthole.toml. Status 2 and the line when something is wrong with it.",
    ),
    run: async (argv) => write(config(argv)),
  },
  status: {
    usage: "status [--json]",
    help: "What the running client is doing",
    ...about(runningOptions, "porthole status", "URLs, relays, transports and certificates of the running client."),
    run: async (argv) => write(await status(argv)),
  },
  ls: {
    usage: "ls [--json]",
    help: "The running tunnels, one a line",
    ...about(runningOptions, "porthole ls", "Name, URL, local service and state of each running tunnel."),
    run: async (argv) => write(await ls(argv)),
  },
  logs: {
    usage: "logs [NAME] [--follow]",
    help: "What happened to a tunnel, and its visitors",
    ...about(logsOptions, "porthole logs web --follow", "States, visitors and requests of one tunnel, or of all."),
    run: logs,
  },
  stop: {
    usage: "stop [NAME...]",
    help: "End these tunnels, or all with the client",
    ...about(runningOptions, "porthole stop web", "Ends tunnels; without a name all of them, as Ctrl-C does."),
    run: async (argv) => write(await stop(argv)),
  },
  doctor: {
    usage: "doctor [OPTIONS]",
    help: "Check every hop from the local port to a visitor",
    ...about(
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
    options: identityOptions,
    helpText: (_argv, columns) => identityHelp(columns),
    run: async (argv) => write(await identity(argv)),
  },
  demo: {
    usage: "demo [SERVICE]",
    help: "Try it on this machine: a relay, a sample site and a client",
    ...about(
      demoOptions,
      "porthole demo 5173",
      "Tries Porthole out on this machine: a relay, a sample site or your own service, and a client.",
    ),
    ownsOutput: true,
    async run(argv) {
      // Loaded only here: no other command needs a relay.
      const { runDemo } = await import("./demo/demo.ts");
      await runDemo(argv);
    },
  },
  daemon: {
    usage: "daemon --stdio",
    help: "Do what another program says: docs/rpc.md",
    ...about(
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
    ...about(
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
    options: inspectOptions,
    helpText: inspectHelp,
    run: inspect,
  },
  share: {
    usage: "share [--for 2h] [--label TEXT]",
    help: "A link that lets in, with --access-share; share list, share revoke ID",
    options: shareOptions,
    helpText: (_argv, columns) => shareHelp(columns),
    run: async (argv) => write(await share(argv)),
  },
  connect: {
    usage: "connect NAME [PORT|-]",
    help: "Visit a TCP service behind a public name: docs/tcp.md",
    ...about(
      connectOptions,
      "porthole connect app.tunnel.example.com 5432",
      "Makes a public name a port of this machine, or with - standard input and output, for programs without TLS.",
    ),
    ownsOutput: true,
    run: connect,
  },
  completion: {
    usage: "completion SHELL",
    help: "Completion for bash, zsh or fish",
    ...about(
      defineOptions({}),
      "source <(porthole completion bash)",
      "Prints what makes the shell complete commands and options: bash, zsh or fish.",
    ),
    run: async (argv) => write(completion(argv, { options: clientOptions, commands })),
  },
};

/** `porthole 3000` is `porthole --local 3000`. */
export function withShortForm(argv: readonly string[]): readonly string[] {
  const [first, ...rest] = argv;
  return first !== undefined && !first.startsWith("-") ? ["--local", first, ...rest] : argv;
}

/** For a word that is neither a command nor, since it has no port, a local service. */
export function unknownCommand(argv: readonly string[]): PortholeError {
  const names = Object.keys(commands);
  return new PortholeError("usage", `There is no command ${JSON.stringify(argv[0])}`, {
    hint:
      didYouMean(argv, names) ??
      `They are: ${names.join(", ")}. A local service is a port (3000), host:port, or a URL.`,
  });
}

function about(
  options: OptionTable,
  example: string,
  summary: string,
  words?: Readonly<Record<string, string>>,
): Pick<Command, "options" | "helpText"> {
  return {
    options,
    helpText: (argv, columns) =>
      helpText(options, {
        ...{ example, summary, all: asksForAllHelp(argv) },
        ...(words && { commands: words }),
        ...(columns && { columns }),
      }),
  };
}
