import assert from "node:assert/strict";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startFakeDns } from "@porthole/testing";
import { buildPrograms } from "@porthole/testing/built-programs";
import { freePort, run, start, startHttp, useScope, type Running } from "@porthole/testing/end-to-end";
import { isFull } from "@porthole/testing/size";
import { blocksOf, commandsOf, pages, type Block } from "./blocks.ts";
import { before as runBefore, ids, notRun, onlyFull, readyLines, servicePorts, substitutions } from "./table.ts";

const root = join(import.meta.dirname, "../..");
const blocks = pages.flatMap((page) => blocksOf(page));
const commandBlocks = blocks.filter(({ language }) => language === "sh");
const nameOf = (block: Block): string => `${block.page}: ${commandsOf(block)[0]}`;

describe("The documentation's commands", function () {
  this.timeout(300_000);
  const scope = useScope();
  const suite = useScope({ lasts: "suite" });
  let bin: string;
  let relayDir: string;
  let relay: { readonly api: number; readonly public: number };
  let env: NodeJS.ProcessEnv;
  let cwd: string;
  const ports = new Map<string, string>();

  before(async () => {
    const programs = await buildPrograms();
    [bin, relayDir] = [await suite.folder(), await suite.folder()];
    for (const [name, path, state] of [
      ["porthole", programs.client, "$PORTHOLE_CLIENT_DIR"],
      ["porthole-relay", programs.relay, "$PORTHOLE_RELAY_DIR"],
    ] as const) {
      const file = join(bin, name);
      await writeFile(file, `#!/bin/sh\nPORTHOLE_STATE_DIR="${state}" exec "${process.execPath}" "${path}" "$@"\n`);
      await chmod(file, 0o755);
    }
    await symlink(process.execPath, join(bin, "node"));
    const program = start(suite, join(bin, "porthole-relay"), ["--json", "--api-port", "0", "--pub-port", "0"], {
      env: { HOME: relayDir, PATH: process.env["PATH"], PORTHOLE_RELAY_DIR: relayDir },
    });
    suite.defer(() => program.kill("SIGTERM"));
    relay = JSON.parse(await program.line(/Relay is ready/)) as typeof relay;
    for (const port of servicePorts) {
      const service = await startHttp(suite, (_request, response) => response.end("here"));
      ports.set(port, String(service.port));
    }
  });

  beforeEach(async () => {
    const home = await scope.folder();
    cwd = join(home, "project");
    await mkdir(cwd);
    env = {
      ...{ HOME: home, PATH: `${bin}:${process.env["PATH"]}`, PORTHOLE_CLIENT_DIR: join(home, "client") },
      ...{ PORTHOLE_RELAY_DIR: relayDir, PORTHOLE_ACME: "false" },
    };
  });

  it("are marked as such, and every other block with its language", () => {
    const unmarked = blocks.filter(({ language }) => language === "");
    assert.deepEqual(
      unmarked.map(({ page, line }) => `${page}:${line} says no language: sh, or text`),
      [],
    );
  });

  it("have no reasons and preparations that nobody needs", () => {
    const names = new Set(commandBlocks.map((block) => nameOf(block)));
    assert.deepEqual(
      [...Object.keys(notRun), ...Object.keys(runBefore)].filter((name) => !names.has(name)),
      [],
    );
    for (const reason of Object.values(notRun)) assert.ok(reason.length > 20, reason);
  });

  const runnable = commandBlocks.filter((each) => !(nameOf(each) in notRun) && (isFull || !onlyFull.test(each.page)));
  for (const block of runnable)
    it(`work: ${block.page}:${block.line}`, async () => {
      const commands = [...(runBefore[nameOf(block)] ?? []), ...commandsOf(block)];
      const values = await prepare(commands);
      const running: Running[] = [];
      const said: string[] = [];
      for (const command of commands) {
        const line = filled(command, values, said);
        const program = start(scope, "setsid", ["bash", "-euc", line], {
          cwd: line.startsWith("npm ") ? root : cwd,
          env,
        });
        const [, ready = /$^/] = readyLines.find(([each]) => each.test(line)) ?? [];
        const isUp = program.line(ready).then(
          () => true,
          (reason: unknown) => {
            if (isRunning(program)) throw reason;
            return false;
          },
        );
        const goesOn = await visited(Promise.race([isUp, program.exited.then(() => false)]), said);
        said.push(...program.lines);
        if (goesOn) running.push(program);
        else assert.equal((await program.exited).code, 0, `${line}\n${[...said, ...program.errors].join("\n")}`);
      }
      for (const program of running.toReversed()) {
        if (isRunning(program)) process.kill(-(program.child.pid ?? 0), "SIGINT");
        const { code, signal } = await program.exited;
        // npm ends by the signal itself.
        assert.ok(code === 0 || signal === "SIGINT", [...program.lines, ...program.errors].join("\n"));
      }
      await run("porthole", ["stop"], { env });
    });

  /** The relay that the block's commands use: the test's, or where it sets one up or joins one, that. */
  async function prepare(commands: readonly string[]): Promise<Readonly<Record<string, string>>> {
    const has = (text: string): boolean => commands.some((command) => command.includes(text));
    const values: Record<string, string> = {};
    if (has("setup")) {
      const dns = await startFakeDns(() => ["127.0.0.1"]);
      scope.defer(() => dns.close());
      values["DNS"] = dns.address;
      env = { ...env, PORTHOLE_RELAY_DIR: await scope.folder() };
      const flags = ["--api-port", "--pub-port", "--alpn-port", "--http-port"];
      values["PORTS"] = (await Promise.all(flags.map(async (flag) => `${flag} ${await freePort()}`))).join(" ");
    }
    if (has("porthole join")) {
      const { stdout } = await run("porthole-relay", ["invite", "--address", `127.0.0.1:${relay.api}`], { env });
      const [invite] = /porthole:\/\/join\?[^'\s]+/.exec(stdout) ?? assert.fail(stdout);
      values["INVITE"] = `'${invite}'`;
    } else env = { ...env, PORTHOLE_SERVER: `127.0.0.1:${relay.api}` };
    return values;
  }

  function filled(command: string, values: Readonly<Record<string, string>>, said: readonly string[]): string {
    const here = substitutions.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), command);
    const id = ids.flatMap((each) => [...said.join("\n").matchAll(each)].map(([, found = ""]) => found)).at(-1);
    return here
      .replaceAll(/(?<![\w.])\d{4}(?![\w.])/g, (port) => ports.get(port) ?? port)
      .replaceAll(/\$(DNS|PORTS|INVITE)\b/g, (_all, name: string) => values[name] ?? assert.fail(name))
      .replaceAll(/(?<= )ID\b/g, () => id ?? assert.fail(`${command}: nothing before it has printed an ID`));
  }

  /** Visits the tunnel that a command before has started until this one is over or ready: some wait for a visitor. */
  async function visited<T>(result: Promise<T>, said: readonly string[]): Promise<T> {
    const url = said
      .map((line) => /^URL: (\S+)/.exec(line)?.[1] ?? /https:\S+\.localhost:\d+/.exec(line)?.[0])
      .findLast((each) => each !== undefined);
    if (url === undefined) return result;
    const over = new AbortController();
    const ended = result.finally(() => over.abort());
    const to = ["--connect-to", `::127.0.0.1:${relay.public}`, url];
    while (!over.signal.aborted) {
      await run("curl", ["--silent", "--insecure", "--max-time", "5", ...to]);
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 200))]);
    }
    return ended;
  }
});

function isRunning({ child }: Running): boolean {
  return child.exitCode === null && child.signalCode === null;
}
