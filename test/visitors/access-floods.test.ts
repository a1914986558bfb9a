import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import http2 from "node:http2";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  connectVisitor,
  request,
  soon,
  startHttp,
  startTunnel,
  until,
  useScope,
  type Site,
} from "@porthole/testing/end-to-end";

const mebi = 1024 * 1024;

describe("Floods against access rules", function () {
  this.timeout(180_000);
  const scope = useScope();

  async function expose(flags: Readonly<Record<string, string>>, secret: string) {
    const path = join(await scope.folder(), "secret");
    await writeFile(path, secret, { mode: 0o600 });
    const args = Object.entries(flags).flatMap(([name, value]) => [name, value === "FILE" ? path : value]);
    const service = await startHttp(scope, (incoming, response) => {
      incoming.resume().on("end", () => void response.end("the service"));
    });
    return startTunnel(scope, { transport: "http2", local: service.local, client: { args } });
  }

  const webhook = { "--access-webhook": "github", "--access-webhook-secret-file": "FILE" };
  const forged = { "x-hub-signature-256": `sha256=${"00".repeat(32)}` };

  /** Sends a part of a body, and what then happens to the connection is the caller's. */
  async function begin(site: Site, version: "1.1" | "2", bytes: number) {
    const socket = await connectVisitor(scope, site, { alpn: [version === "2" ? "h2" : "http/1.1"] });
    socket.on("error", () => {});
    const length = 22 * mebi;
    const sent = Buffer.alloc(bytes);
    if (version === "1.1") {
      const head = ["POST /hook HTTP/1.1", `Host: ${site.hostname}`, `Content-Length: ${length}`];
      const fields = Object.entries(forged).map(([name, value]) => `${name}: ${value}`);
      await written(socket, Buffer.concat([Buffer.from(`${[...head, ...fields].join("\r\n")}\r\n\r\n`), sent]));
      return { end: () => void socket.end(), destroy: () => void socket.destroy() };
    }
    const session = http2.connect(site.origin, { createConnection: () => socket });
    session.on("error", () => {});
    const stream = session.request({ ":method": "POST", ":path": "/hook", "content-length": length, ...forged });
    stream.on("error", () => {});
    await written(stream, sent);
    return { end: () => void stream.end(), destroy: () => session.destroy() };
  }

  function written(stream: NodeJS.WritableStream, bytes: Buffer): Promise<void> {
    return new Promise((resolve) => stream.write(bytes, () => resolve()));
  }

  async function genuine(site: Site, size: number): Promise<number> {
    const body = "x".repeat(size);
    const signature = createHmac("sha256", "hush").update(body).digest("hex");
    const headers = { "x-hub-signature-256": `sha256=${signature}` };
    return (await soon(request(site, "/hook", { method: "POST", headers, body }), "an answer")).status;
  }

  for (const version of ["1.1", "2"] as const)
    for (const how of ["end", "destroy"] as const)
      it(`a genuine webhook passes after others have left in the middle of theirs by ${how}, over HTTP/${version}`, async () => {
        const { site } = await expose(webhook, "hush");
        for (let round = 0; round < 1; round++) {
          const left = await Promise.all(Array.from({ length: 3 }, () => begin(site, version, 1)));
          for (const visitor of left) visitor[how]();
        }
        assert.equal(await genuine(site, 10), 200);
      });

  it("a genuine webhook passes while others hold all that is held and send no more", async () => {
    const { site } = await expose(webhook, "hush");
    const waiting = await Promise.all(Array.from({ length: 3 }, () => begin(site, "1.1", 21 * mebi)));
    // As long as they have not had the time to show their rate the newest is refused.
    const statuses: number[] = [];
    await until(
      async () => statuses.push(await genuine(site, 5 * mebi)) > 0 && statuses.at(-1) === 200,
      () => `the genuine one had passed: ${statuses.join(", ")}`,
    );
    assert.ok(
      statuses.every((status) => status === 503 || status === 200),
      statuses.join(", "),
    );
    for (const visitor of waiting) visitor.destroy();
  });

  it("of passwords, on one connection, get a few tries", async () => {
    const { site, client } = await expose({ "--access-basic-file": "FILE" }, "ada:lovelace");
    const session = http2.connect(site.origin, { ca: site.ca, lookup: loopback });
    session.on("error", () => {});
    scope.defer(() => session.destroy());
    const guess = (password: string): Promise<number> =>
      new Promise((resolve, reject) => {
        const authorization = `Basic ${Buffer.from(`ada:${password}`).toString("base64")}`;
        const stream = session.request({ ":path": "/", authorization });
        stream.on("response", (headers) => resolve(headers[":status"] ?? 0)).on("error", reject);
        stream.resume().end();
      });
    const statuses: number[] = [];
    for (let batch = 0; batch < 20; batch++)
      statuses.push(...(await Promise.all(Array.from({ length: 50 }, (_, index) => guess(`${batch} ${index}`)))));
    const tries = statuses.filter((status) => status === 401).length;
    assert.ok(tries >= 5 && tries <= 15, `${tries} of ${statuses.length} passwords were tried`);
    assert.equal(statuses.filter((status) => status === 429).length, statuses.length - tries);
    assert.equal(client.log.filter((line) => line.includes("wrong passwords")).length, 1);
  });

  const loopback = ((_name: string, options: { all?: boolean }, done: (...args: unknown[]) => void) =>
    options.all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4)) as never;
});
