import { platformReason, skipUnless } from "@porthole/testing/skip";
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { cageNode, type CagedNode } from "@porthole/testing";
import { PortholeError } from "@porthole/common/errors";
import { createCertificate, generateKey } from "@porthole/common/identity";
import type { TransportConnection } from "@porthole/common/link";
import { acceptQuic, quicAvailability, type EngineName, type QuicAcceptor } from "@porthole/common/link/quic";

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

const relayIdentity = selfSigned("relay.example");
const clientIdentity = selfSigned();

for (const engine of ["quiche", "native"] as const)
  describe(`quic where bytes can't be returned, as in Electron: ${engine}`, () => suite(engine));

function suite(this: void, engine: EngineName): void {
  let caged: CagedNode | undefined;
  let listener: QuicAcceptor;
  let child: ChildProcess | undefined;

  before(async function () {
    this.timeout(120_000);
    const { available } = quicAvailability(engine);
    skipUnless(this, available, platformReason(`the ${engine} engine is not here: see npm run build:native`));
    caged = await cageNode(this);
  });

  after(() => caged?.close());

  beforeEach(async () => {
    const { signal } = new AbortController();
    listener = await acceptQuic({ address: "127.0.0.1", port: 0, engine, ...relayIdentity }, { signal });
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
      engine,
    };
    const url = import.meta.resolve("@porthole/common/link/quic");
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
    const relay = await firstOf(listener.incoming);
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
}

function selfSigned(...dnsNames: string[]): { readonly cert: string; readonly key: string; readonly der: Buffer } {
  const key = generateKey();
  const certificate = createCertificate({ key, dnsNames, notBefore: new Date(Date.now() - 86_400_000), days: 30 });
  return { cert: certificate.pem, key: key.pem, der: certificate.der };
}

async function firstOf(connections: AsyncIterable<TransportConnection>): Promise<TransportConnection> {
  for await (const connection of connections) return connection;
  throw new Error("The listener is closed");
}
