import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { platformReason, skipUnless } from "../../testing/index.ts";
import { PortholeError } from "../../errors.ts";
import type { Carrier } from "../types.ts";
import { accept, clientIdentity, listen, relayIdentity, selfSigned } from "./fixture.test.ts";
import type { QuicListener } from "./index.ts";

/** What an Electron with V8's memory cage answers: napi_no_external_buffers_allowed. */
const shimSource = `int xapi_create_external_arraybuffer(void* env, void* data, unsigned long length, void* finalize, void* hint, void** result) {
  return 22;
}
`;

/** Loads the changed copy in place of the native module. */
const preloadSource = (copy: string): string => `
const Module = require("node:module");
const resolve = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  return request === ${JSON.stringify(nativePackage)} ? ${JSON.stringify(copy)} : resolve.call(this, request, ...rest);
};
`;

const nativePackage = `@matrixai/quic-${process.platform}-${process.arch}`;

/** The client: proves first that bytes can't be returned, then dials what it is told and echoes what comes. */
const clientSource = `
import { createRequire } from "node:module";
const { url, options } = JSON.parse(process.env.TEST_DIAL);
const { Header } = createRequire(url)("@matrixai/quic/dist/native/quiche.js").default;
const say = (line) => process.stdout.write(line + "\\n");
try {
  void Header.fromSlice(Buffer.from("c00000000108010203040506070800000000", "hex"), 20).dcid;
  say("bytes came back");
} catch (error) {
  say(error.message);
}
const { dialQuic } = await import(url);
try {
  const client = await dialQuic(options, new AbortController());
  client.control.on("data", (chunk) => client.control.write(chunk));
  for await (const stream of client.incoming) stream.pipe(stream);
  say((await client.closed).code);
} catch (error) {
  say(error.code ?? error.stack);
}
`;

describe("quic where bytes can't be returned, as in Electron", function () {
  this.timeout(60_000);
  let folder: string | undefined;
  let listener: QuicListener;
  let child: ChildProcess | undefined;

  before(async function () {
    skipUnless(this, process.platform === "linux", platformReason("The loader's trick is Linux's"));
    skipUnless(this, !spawnSync("gcc", ["--version"]).error, "gcc is not installed");
    folder = await mkdtemp(path.join(tmpdir(), "porthole-electron-"));
    await writeFile(path.join(folder, "shim.c"), shimSource);
    await writeFile(path.join(folder, "preload.cjs"), preloadSource(path.join(folder, "quic.node")));
    const gcc = spawnSync("gcc", ["-shared", "-fPIC", "-o", "shim.so", "shim.c"], { cwd: folder, encoding: "utf8" });
    assert.equal(gcc.status, 0, gcc.stderr);
    const require = createRequire(createRequire(import.meta.url).resolve("@matrixai/quic/package.json"));
    const original = await readFile(require.resolve(nativePackage), "latin1");
    const changed = original.replaceAll("napi_create_external_arraybuffer", "xapi_create_external_arraybuffer");
    assert.notEqual(changed, original);
    await writeFile(path.join(folder, "quic.node"), changed, "latin1");
  });

  after(async () => {
    if (folder) await rm(folder, { recursive: true });
  });

  beforeEach(async () => {
    listener = await listen();
  });

  afterEach(async () => {
    if (child && child.exitCode === null && child.signalCode === null) {
      child.kill();
      await once(child, "exit");
    }
    await listener.close();
  });

  function startClient(trustedPem: string): AsyncIterator<string> {
    assert.ok(folder);
    const options = {
      host: "127.0.0.1",
      port: listener.address.port,
      cert: clientIdentity.cert,
      key: clientIdentity.key,
      trust: { kind: "pinned", pem: trustedPem },
    };
    const url = new URL("index.ts", import.meta.url).href;
    const args = ["--require", path.join(folder, "preload.cjs"), "--input-type=module", "--eval", clientSource];
    child = spawn(process.execPath, args, {
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        ...process.env,
        NODE_NO_WARNINGS: "1",
        LD_PRELOAD: path.join(folder, "shim.so"),
        TEST_DIAL: JSON.stringify({ url, options }),
      },
    });
    assert.ok(child.stdout);
    return createInterface(child.stdout)[Symbol.asyncIterator]();
  }

  it("connects, transfers, and learns why the relay ends it", async () => {
    const lines = startClient(relayIdentity.cert);
    assert.match((await lines.next()).value as string, /external arraybuffer/i);
    const relay: Carrier = await accept(listener);
    assert.deepEqual(relay.peerCertificate, clientIdentity.der);
    relay.control.write("ping");
    await once(relay.control, "data");
    const bytes = randomBytes(4 * 1024 * 1024);
    const stream = relay.openStream();
    stream.end(bytes);
    const received = createHash("sha256");
    for await (const chunk of stream) received.update(chunk as Buffer);
    assert.equal(received.digest("hex"), createHash("sha256").update(bytes).digest("hex"));
    await relay.close(new PortholeError("draining", "restart"));
    assert.equal((await lines.next()).value, "draining");
  });

  it("refuses another relay's certificate", async () => {
    const lines = startClient(selfSigned("relay.example").cert);
    await lines.next();
    assert.equal((await lines.next()).value, "untrusted");
  });
});
