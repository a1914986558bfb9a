import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  needProgram,
  settled,
  soon,
  start,
  programFile,
  startCli,
  startHttp,
  startTestRelay,
  useScope,
} from "@porthole/testing/end-to-end";

const root = join(import.meta.dirname, "../..");

interface Said {
  readonly direction: "->" | "<-";
  readonly message: unknown;
}

describe("a program in another language", function () {
  this.timeout(180_000);
  const scope = useScope();

  it("drives a client as docs/rpc.md shows it", async function () {
    needProgram(this, "python3");
    const service = await startHttp(scope, (_request, response) => response.end("hello, snake"));
    const relay = await startTestRelay(scope);
    const example = start(
      scope,
      "python3",
      [
        ...[
          join(root, "docs/examples/drive.py"),
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

  it("attaches to a client that runs, and leaves it running", async function () {
    needProgram(this, "python3");
    const relay = await startTestRelay(scope);
    const stateDir = await scope.folder();
    const running = startCli(scope, "client", ["--server", `127.0.0.1:${relay.apiPort}`, "--state-dir", stateDir]);
    const url = (await running.line(/^URL: /)).slice(5);
    const script = join(root, "docs/examples/drive.py");
    const example = start(scope, "python3", [script, "attach", join(stateDir, "client.sock")]);
    const { code } = await soon(example.exited, () => example.errors.join("\n"));
    assert.equal(code, 0, example.errors.join("\n"));
    assert.deepEqual(JSON.parse(example.lines.at(-1) ?? ""), [url]);
    assert.equal((await running.kill("SIGINT")).code, 0);
  });
});

/** What the documentation says. */
async function transcript(): Promise<Said[]> {
  const text = await readFile(join(root, "docs/rpc.md"), "utf8");
  const block = /<!-- transcript -->\s+```\n([\s\S]*?)\n```/.exec(text)?.[1] ?? "";
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
