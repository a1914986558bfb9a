import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import net from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream";
import tls, { type TLSSocket } from "node:tls";
import { parse } from "smol-toml";
import type { AcmeNetwork } from "@porthole/common/acme";
import { createCertificate, generateKey } from "@porthole/common/identity";
import { encodeProxyHeader } from "@porthole/common/protocol";
import type { Relay } from "@porthole/relay";
import { startPebble, whyNoPebble, type Pebble } from "@porthole/testing/pebble";
import { skipUnless } from "@porthole/testing/skip";
import {
  freePort,
  isFull,
  needProgram,
  overEachTransport,
  run,
  start,
  startHttp,
  startTestClient,
  startTestRelay,
  until,
  useScope,
  type Running,
  type Service,
  type TestClient,
  type Transport,
} from "@porthole/testing/end-to-end";

/** What AWS's balancer appends to the addresses of a visitor from a VPC's endpoint: type, length, subtype, identifier. */
const endpointOfVpc = Buffer.from("\xea\x00\x17\x01vpce-08d2bf15fac5001c9", "latin1");
/** The signature, LOCAL of version 2, no address, no bytes. */
const ownConnection = Buffer.from("0d0a0d0a000d0a515549540a20000000", "hex");
const lengthAt = 14;

function withField(header: Buffer, field: Buffer): Buffer {
  const bytes = Buffer.concat([header, field]);
  bytes.writeUInt16BE(header.readUInt16BE(lengthAt) + field.length, lengthAt);
  return bytes;
}

/** The configurations that people copy are the ones that are tried here. */
const guide = readFileSync(join(import.meta.dirname, "../../docs/beside-a-web-server.md"), "utf8");
const visitorAddress = "127.0.0.5";
const orderMs = 120_000;
/** Traefik ends a connection 100 ms after one side's last byte, unless it is told otherwise. */
const longerThanTraefikWaitsMs = 300;

interface Ports {
  /** In place of 443. */
  readonly front: number;
  /** 8443 */
  readonly relay: number;
  /** 8444 */
  readonly web: number;
  /** 4433 */
  readonly clients: number;
}

describe("A relay beside a web server", function () {
  this.timeout(300_000);
  const scope = useScope();
  let ports: Ports;
  let pebble: Pebble;
  let network: AcmeNetwork;
  let service: Service;
  let delayMs = 0;

  before(function () {
    const why = whyNoPebble();
    skipUnless(this, why === undefined, why ?? "");
    skipUnless(this, process.platform === "linux", "Only Linux has every address of 127.0.0.0/8");
    for (const program of ["haproxy", "nginx", "caddy"]) needProgram(this, program);
  });
  beforeEach(async () => {
    const [front, relay, web, clients] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
    ports = { front, relay, web, clients };
    pebble = await startPebble({ tlsPort: front });
    scope.defer(() => pebble.close());
    network = { trust: pebble.caPem, port: front, lookup: async () => ["127.0.0.1"] };
    delayMs = 0;
    service = await startHttp(scope, (request, response) => {
      setTimeout(() => response.end(String(request.headers["x-forwarded-for"])), delayMs);
    });
  });

  overEachTransport((transport) => {
    it("in front of nginx, which gets the visitor's address", async () => {
      const relay = await startRelay("relay.toml");
      await startNginx({ http: block("nginx", "behind") });
      assert.match(await visit("www.example.com"), /^web server, visitor 127\.0\.0\.5$/);
      await showsTunnel(relay, transport);
    });

    it("behind HAProxy", async () => {
      const relay = await startRelay("relay.toml behind a proxy");
      await startHaproxy(block("haproxy", "haproxy.cfg"));
      await startNginx({ http: withoutHeader(block("nginx", "behind")) });
      assert.match(await visit("www.example.com"), /^web server/);
      await showsTunnel(relay, transport);
    });

    it("behind nginx", async () => {
      const relay = await startRelay("relay.toml behind a proxy");
      await startNginx({ http: block("nginx", "behind"), stream: block("nginx", "stream") });
      assert.match(await visit("www.example.com"), /^web server, visitor 127\.0\.0\.5$/);
      await showsTunnel(relay, transport);
    });

    it("behind HAProxy with one port for everything", async () => {
      const relay = await startRelay("relay.toml, all on port 443 behind a proxy");
      // The client here dials an address and sends no name.
      await startHaproxy(block("haproxy", "haproxy.cfg").replace("default_backend web", "default_backend porthole"));
      await showsTunnel(relay, transport, ports.front);
    });
  });

  if (isFull)
    overEachTransport((transport) => {
      it("behind Traefik, which lets a visitor finish sending first", async function () {
        needProgram(this, "go");
        const relay = await startRelay("relay.toml behind a proxy");
        await startTraefik(
          block("yaml", "traefik, static configuration"),
          block("yaml", "traefik, dynamic configuration"),
        );
        const client = await startClient(transport);
        assert.equal(await visitOnceUp(client), visitorAddress);
        delayMs = longerThanTraefikWaitsMs;
        assert.equal(await visitOnceUp(client, true), visitorAddress);
        assert.equal(relay.counts().clients, 1);
        await client.stop();
      });
    });

  it("in front of Caddy", async () => {
    await startRelay("relay.toml", { "fallback-proxy-protocol": false });
    await startCaddy(block("caddy", "behind").replace(/ {4}servers [^}]*\{[^}]*\{[^}]*\}[^}]*\}[^}]*\}\n/, ""));
    // Its own authority needs a moment for the first certificate.
    await until(
      () =>
        visit("www.example.com").then(
          (text) => text === "web server, visitor 127.0.0.1",
          () => false,
        ),
      "Caddy shows its page",
    );
  });

  it("behind a balancer that speaks version 1", async () => {
    await startRelay("relay.toml behind a proxy");
    await startHaproxy(block("haproxy", "haproxy.cfg").replace("send-proxy-v2", "send-proxy"));
    const client = await startClient("http2");
    assert.equal(await visitOnceUp(client), visitorAddress);
  });

  it("behind a network load balancer, which checks its health and has fields of its own in the header", async () => {
    await startRelay("relay.toml behind a proxy");
    const balancer = await startBalancer(endpointOfVpc);
    const client = await startClient("http2");
    assert.equal(await visitOnceUp(client), visitorAddress);
    // More of them than any limit on one address lets through.
    for (let round = 0; round < 30; round++)
      await Promise.all(Array.from({ length: 20 }, (_each, index) => balancer.checkHealth(index % 2 === 0)));
    assert.equal(await visitOnceUp(client), visitorAddress);
    await client.stop();
  });

  it("refuses a balancer that forgets the header, and does not believe a stranger's", async () => {
    const relay = await startRelay("relay.toml behind a proxy", { "proxy-protocol-from": ["127.0.0.9"] });
    const hostname = `${"a".repeat(26)}.tunnel.example.com`;
    const connect = (localAddress: string): net.Socket =>
      net.connect({ host: "127.0.0.1", port: relay.publicPort, localAddress });
    const balancer = connect("127.0.0.9");
    balancer.on("error", () => {});
    tls.connect({ socket: balancer, servername: hostname, rejectUnauthorized: false }).on("error", () => {});
    await once(balancer, "close");

    const stranger = connect("127.0.0.8");
    stranger.write("PROXY TCP4 192.0.2.1 192.0.2.2 1 443\r\n");
    const [answer] = (await once(stranger, "data")) as [Buffer];
    // A TLS alert: this is no ClientHello.
    assert.equal(answer[0], 0x15);
    stranger.destroy();
  });

  it("says so when the web server is not there, and serves everything else", async () => {
    const relay = await startRelay("relay.toml");
    await assert.rejects(visit("www.example.com"), { code: "ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR" });
    await showsTunnel(relay, "http2");
  });

  /** With what the documentation says, on this test's ports. */
  function startRelay(title: string, changes: Readonly<Record<string, unknown>> = {}): Promise<Relay> {
    const settings = { ...parse(onPorts(block("toml", title))), ...changes };
    const args = Object.entries(settings).flatMap(([name, value]) => {
      if (typeof value === "boolean") return value ? [`--${name}`] : [];
      return [value].flat().map((one) => `--${name}=${String(one)}`);
    });
    const split = args.flatMap((arg) => arg.split(/=(.*)/s).filter((part) => part !== ""));
    return startTestRelay(scope, {
      args: [...split, "--open", "--startup-grace", "0s", "--acme-directory", pebble.directoryUrl],
      acmeNetwork: network,
    });
  }

  function onPorts(text: string): string {
    return text
      .replaceAll("8443", String(ports.relay))
      .replaceAll("8444", String(ports.web))
      .replaceAll("4433", String(ports.clients))
      .replaceAll(/(?<!\d)443(?!\d)/g, String(ports.front));
  }

  async function startHaproxy(text: string): Promise<void> {
    const folder = await scope.folder();
    const path = join(folder, "haproxy.cfg");
    await writeFile(path, onPorts(text).replaceAll("bind :", "bind 127.0.0.1:"));
    await listens(start(scope, "haproxy", ["-db", "-f", path]), ports.front);
  }

  async function startNginx(blocks: { readonly http: string; readonly stream?: string }): Promise<void> {
    const folder = await scope.folder();
    const { key, cert } = await certificateFiles(folder);
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map((name) => `${name}_temp_path ${folder}/${name};`)
      .join(" ");
    const text = `load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr;
events {}
http { access_log off; ${temporary} ${blocks.http.replace(/\/etc\/ssl\/\S+\.pem/, cert).replace(/\/etc\/ssl\/\S+\.key/, key)} }
${(blocks.stream ?? "").replace("listen 443", "listen 127.0.0.1:443")}`;
    const path = join(folder, "nginx.conf");
    await writeFile(path, onPorts(text));
    const nginx = start(scope, "nginx", ["-e", "stderr", "-p", folder, "-c", path]);
    await listens(nginx, ports.web);
    if (blocks.stream !== undefined) await listens(nginx, ports.front);
  }

  /** Passes connections of the front on to the relay with a PROXY header of version 2, and this field in it. */
  async function startBalancer(field: Buffer): Promise<{ checkHealth(isSilent: boolean): Promise<void> }> {
    const server = net.createServer({ allowHalfOpen: true }, (visitor) => {
      const relay = net.connect({ host: "127.0.0.1", port: ports.relay, allowHalfOpen: true });
      const source = { address: visitor.remoteAddress ?? "", port: visitor.remotePort ?? 0 };
      relay.write(withField(encodeProxyHeader({ source, destination: { address: "127.0.0.1", port: 443 } }), field));
      pipeline(visitor, relay, () => {});
      pipeline(relay, visitor, () => {});
    });
    server.listen(ports.front, "127.0.0.1");
    await once(server, "listening");
    scope.defer(() => new Promise((resolve) => void server.close(() => resolve(undefined))));
    return {
      /** Connects, and says nothing or that the connection is its own (LOCAL). Resolves when the relay has closed it. */
      async checkHealth(isSilent) {
        const socket = net.connect({ host: "127.0.0.1", port: ports.relay });
        await once(socket, "connect");
        // By a reset, too: a balancer counts that the connection came about.
        socket.on("error", () => {});
        if (!isSilent) socket.write(ownConnection);
        socket.end();
        socket.resume();
        await new Promise((resolve) => socket.once("close", resolve));
      },
    };
  }

  /** Its TCP entry point, as traefik/main.go has it: the whole program can't be built from the registry for Go modules. */
  async function startTraefik(fixed: string, dynamic: string): Promise<void> {
    const folder = await scope.folder();
    const path = join(folder, "porthole.yaml");
    await writeFile(path, onPorts(dynamic));
    const program = join(folder, "traefik");
    const source = join(import.meta.dirname, "traefik");
    const built = await run("go", ["build", "-o", program, "."], {
      cwd: source,
      env: { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-mod=readonly -buildvcs=false" },
    });
    assert.equal(built.code, 0, built.stderr);
    const allowsBypass = String(/^ +allowACMEByPass: true$/m.test(fixed));
    await listens(start(scope, program, [`127.0.0.1:${ports.front}`, path, allowsBypass]), ports.front);
  }

  async function startCaddy(text: string): Promise<void> {
    const folder = await scope.folder();
    const path = join(folder, "Caddyfile");
    const configuration = onPorts(text).replace("{\n", "{\n    admin off\n    local_certs\n    skip_install_trust\n");
    await writeFile(path, configuration);
    const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
    await listens(start(scope, "caddy", ["run", "--adapter", "caddyfile", "--config", path], { env }), ports.web);
  }

  function startClient(transport: Transport, server = ports.clients): Promise<TestClient> {
    return startTestClient(scope, {
      servers: [server],
      transport,
      local: service.local,
      acmeNetwork: network,
      args: ["--acme-directory", pebble.directoryUrl],
    });
  }

  /** A client's certificate is issued by an authority that comes to the front, and its service learns who visits. */
  async function showsTunnel(relay: Relay, transport: Transport, server = ports.clients): Promise<void> {
    const client = await startClient(transport, server);
    const { urls } = await client.online();
    assert.equal(new URL(urls[0] ?? "").port, String(ports.front));
    assert.equal(await visitOnceUp(client), visitorAddress);
    assert.equal(relay.counts().clients, 1);
    await client.stop();
  }

  async function visitOnceUp(client: TestClient, endsFirst = false): Promise<string> {
    const { hostname } = await certified(client);
    const ca = await pebble.rootPem();
    return visit(hostname, { ca, rejectUnauthorized: true }, endsFirst);
  }

  /** Returns what a visitor of this name gets at the front. `endsFirst`: one who ends his direction with the request. */
  async function visit(
    servername: string,
    options: tls.ConnectionOptions = { rejectUnauthorized: false },
    endsFirst = false,
  ): Promise<string> {
    const socket = net.connect({ host: "127.0.0.1", port: ports.front, localAddress: visitorAddress });
    const secure = tls.connect({ socket, servername, ...options });
    await once(secure, "secureConnect");
    secure.write(`GET / HTTP/1.1\r\nHost: ${servername}\r\nConnection: close\r\n\r\n`);
    // Not all do, as browsers don't: nginx as a web server now and then has no answer for those.
    if (endsFirst) secure.end();
    return bodyOf(secure);
  }
});

async function bodyOf(socket: TLSSocket): Promise<string> {
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text.split("\r\n\r\n")[1]?.trim() ?? "";
}

function certified(client: TestClient): Promise<{ readonly hostname: string }> {
  return client.when(
    "a certificate",
    ({ endpoints }) => {
      const certificate = endpoints[0]?.certificates[0];
      return certificate?.status === "valid" ? { hostname: certificate.hostname } : undefined;
    },
    orderMs,
  );
}

/** A fenced block of the guide. */
function block(language: string, title: string): string {
  const [, text] = new RegExp(`\`\`\`${language} title="${title}"\n(.*?)\`\`\``, "s").exec(guide) ?? [];
  assert.ok(text, `the guide has a block ${title} in ${language}`);
  return text;
}

/** For a web server behind a proxy that sends no header. */
function withoutHeader(text: string): string {
  return text.replace(" proxy_protocol;", ";").replace(/^.*real_ip.*\n/gm, "");
}

async function certificateFiles(folder: string): Promise<{ readonly key: string; readonly cert: string }> {
  const key = generateKey();
  const { pem } = createCertificate({ key, dnsNames: ["www.example.com"], notBefore: new Date(), days: 1 });
  const files = { key: join(folder, "web.key"), cert: join(folder, "web.pem") };
  await writeFile(files.key, key.pem);
  await writeFile(files.cert, pem);
  return files;
}

async function listens(program: Running, port: number): Promise<void> {
  const connects = async (): Promise<boolean> => {
    assert.equal(program.child.exitCode, null, program.errors.join("\n"));
    const socket = net.connect({ host: "127.0.0.1", port });
    try {
      await once(socket, "connect");
      return true;
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  };
  await until(connects, `something listens on port ${port}`);
}
