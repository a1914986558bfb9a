import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  isFull,
  needProgram,
  pythonPackages,
  readText,
  request,
  settled,
  siteAt,
  soon,
  start,
  programFile,
  startHttp,
  startTestRelay,
  useScope,
} from "@porthole/testing/end-to-end";
import { skipUnless } from "@porthole/testing/skip";

const root = join(import.meta.dirname, "../..");
const folder = join(root, "clients/python");

async function onlyFileIn(place: string): Promise<string> {
  return join(place, (await readdir(place))[0] ?? "");
}

interface Said {
  readonly direction: "->" | "<-";
  readonly message: unknown;
}

describe("a program in another language", function () {
  this.timeout(180_000);
  const scope = useScope();

  it("waits for a webhook and sends it again, as examples/python does", async function () {
    needProgram(this, "python3");
    const got: string[] = [];
    const service = await startHttp(scope, (incoming, response) => {
      incoming.on("data", (chunk: Buffer) => got.push(`${incoming.method} ${incoming.url} ${chunk.toString()}`));
      incoming.on("end", () => response.end("thanks"));
    });
    const relay = await startTestRelay(scope);
    const data = await scope.folder();
    const bin = await scope.folder();
    const client = [process.execPath, "--conditions=source", programFile("client")].map((each) => `'${each}'`);
    await writeFile(join(bin, "porthole"), `#!/bin/sh\nexec ${client.join(" ")} "$@"\n`, { mode: 0o755 });
    const example = start(scope, "python3", [join(root, "examples/python/wait_for_webhook.py"), String(service.port)], {
      env: {
        PATH: `${bin}:${process.env["PATH"]}`,
        PYTHONPATH: join(folder, "src"),
        XDG_DATA_HOME: data,
        // An open relay takes any.
        PORTHOLE_INVITE: `porthole://join?relay=127.0.0.1:${relay.apiPort}&pin=${relay.fingerprint}&token=${randomBytes(24).toString("base64url")}`,
      },
    });
    const url = await example.line(/^https:/);
    const site = siteAt(url, await onlyFileIn(join(data, "porthole", "self-signed")));
    await readText((await request(site, "/hook", { method: "POST", body: "paid" })).body);
    const { code } = await soon(example.exited, () => [...example.lines, ...example.errors].join("\n"));
    assert.equal(code, 0, example.errors.join("\n"));
    assert.deepEqual(example.lines.slice(1), ["POST /hook 200", "b'paid'"]);
    assert.deepEqual(got, ["POST /hook paid", "POST /hook paid"]);
  });

  it("drives a client as docs/rpc.md shows it", async function () {
    needProgram(this, "python3");
    const service = await startHttp(scope, (_request, response) => response.end("hello, snake"));
    const relay = await startTestRelay(scope);
    const example = start(
      scope,
      "python3",
      [
        ...[
          join(root, "examples/json-rpc/drive.py"),
          `127.0.0.1:${relay.apiPort}`,
          relay.fingerprint,
          String(service.port),
        ],
        ...[process.execPath, "--conditions=source", programFile("client"), "daemon", "--stdio"],
      ],
      { env: { PATH: process.env["PATH"], HOME: await scope.folder() } },
    );
    const { code } = await soon(example.exited, () => [...example.lines, ...example.errors].join("\n"));
    assert.equal(code, 0, [...example.lines, ...example.errors].join("\n"));
    const outcome = JSON.parse(example.lines.at(-1) ?? "") as unknown;
    assert.deepEqual(outcome, { status: 200, body: "hello, snake", visitor: "127.0.0.1", exit: 0 });
    await settled(relay);

    const said = example.lines.slice(0, -1).map((line) => JSON.parse(line) as Said);
    assert.deepEqual(
      said.map(shape),
      (await transcript()).map(shape),
      `this was said:\n${said.map(asLine).join("\n")}`,
    );
  });

  /** The oldest that the client is for is 3.9. */
  function needPython(context: Mocha.Context): void {
    needProgram(context, "python3");
    const code = "import sys; sys.exit(sys.version_info < (3, 9))";
    skipUnless(context, spawnSync("python3", ["-c", code]).status === 0, "python3 is older than 3.9");
  }

  it("uses the Python client, which its own tests try against a relay", async function () {
    needPython(this);
    const relay = await startTestRelay(scope);
    const { code, said } = await inPython(
      ["-W", "error", "-m", "unittest", "discover", "--verbose", "--start-directory", "tests"],
      {
        PORTHOLE_TEST: JSON.stringify({
          command: [process.execPath, "--conditions=source", programFile("client")],
          ...{ relay: `127.0.0.1:${relay.apiPort}`, fingerprint: relay.fingerprint },
        }),
      },
    );
    assert.equal(code, 0, said());
    assert.match(said(), /\nOK$/, said());
    await settled(relay);
  });

  if (isFull)
    it("finds the types of the Python client and of its tests in order", async function () {
      needPython(this);
      const { code, said } = await inPython(["-m", "mypy", "--no-incremental"], {
        PYTHONPATH: await pythonPackages({ mypy: "2.4.1" }),
      });
      assert.equal(code, 0, said());
    });

  async function inPython(args: readonly string[], env: NodeJS.ProcessEnv) {
    const { PATH } = process.env;
    const program = start(scope, "python3", args, {
      cwd: folder,
      env: { PATH, HOME: await scope.folder(), PYTHONPATH: "src", PYTHONDONTWRITEBYTECODE: "1", ...env },
    });
    const said = (): string => [...program.lines, ...program.errors].join("\n");
    const { code } = await program.exited;
    return { code, said };
  }
});

/** What the documentation says. */
async function transcript(): Promise<Said[]> {
  const text = await readFile(join(root, "docs/rpc.md"), "utf8");
  const block = /<!-- transcript -->\s+```text\n([\s\S]*?)\n```/.exec(text)?.[1] ?? "";
  return block.split("\n").map((line) => {
    const direction = line.slice(0, 2) as Said["direction"];
    return { direction, message: JSON.parse(line.slice(3)) };
  });
}

function asLine({ direction, message }: Said): string {
  return `${direction} ${JSON.stringify(message)}`;
}

/** Words of the contract; every other text is different each time. */
const words = new Set(["direction", "method", "jsonrpc", "status", "role", "mode", "headers", "transport", "name"]);

/** What comes a moment later as often as not. */
const laterFields = new Set(["rttMs", "localUp"]);

/** The value with the kind of its texts and numbers instead of themselves, and without what may or may not be known yet. */
function shape(value: unknown, key: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => shape(each, key));
  if (typeof value !== "object" || value === null) return words.has(String(key)) ? value : typeof value;
  const fields = Object.entries(value).filter(([name]) => !laterFields.has(name));
  return Object.fromEntries(fields.map(([name, each]) => [name, shape(each, name)]));
}
