import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { cageNode, type CagedNode } from "@porthole/testing";
import { PortholeError } from "../../errors.ts";
import type { TransportConnection } from "../types.ts";
import { accept, clientIdentity, listen, relayIdentity, selfSigned } from "./fixture.test.ts";
import type { QuicAcceptor } from "./index.ts";

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
  this.timeout(120_000);
  let caged: CagedNode | undefined;
  let listener: QuicAcceptor;
  let child: ChildProcess | undefined;

  before(async function () {
    caged = await cageNode(this);
  });

  after(() => caged?.close());

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
    assert.ok(caged);
    const options = {
      host: "127.0.0.1",
      port: listener.address.port,
      cert: clientIdentity.cert,
      key: clientIdentity.key,
      trust: { kind: "pinned", pem: trustedPem },
    };
    const url = new URL("./index.ts", import.meta.url).href;
    const args = [...caged.args, "--input-type=module", "--eval", clientSource];
    child = spawn(process.execPath, args, {
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        ...process.env,
        ...caged.env,
        TEST_DIAL: JSON.stringify({ url, options }),
      },
    });
    assert.ok(child.stdout);
    return createInterface(child.stdout)[Symbol.asyncIterator]();
  }

  it("connects, transfers, and learns why the relay ends it", async () => {
    const lines = startClient(relayIdentity.cert);
    assert.match((await lines.next()).value as string, /external arraybuffer/i);
    const relay: TransportConnection = await accept(listener);
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
