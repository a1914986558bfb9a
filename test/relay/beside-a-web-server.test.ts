import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import net from "node:net";
import { join } from "node:path";
import tls, { type TLSSocket } from "node:tls";
import { parse } from "smol-toml";
import type { AcmeNetwork } from "@porthole/common/acme";
import { createCertificate, generateKey } from "@porthole/common/identity";
import type { Relay } from "@porthole/relay";
import { startPebble, whyNoPebble, type Pebble } from "@porthole/testing/pebble";
import { skipUnless } from "@porthole/testing/skip";
import {
  freePort,
  needProgram,
  overEachTransport,
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

/** The configurations that people copy are the ones that are tried here. */
const guide = readFileSync(join(import.meta.dirname, "../../docs/beside-a-web-server.md"), "utf8");
const visitorAddress = "127.0.0.5";
const orderMs = 120_000;

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
    service = await startHttp(scope, (request, response) => response.end(String(request.headers["x-forwarded-for"])));
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

  async function visitOnceUp(client: TestClient): Promise<string> {
    const { hostname } = await certified(client);
    const ca = await pebble.rootPem();
    return visit(hostname, { ca, rejectUnauthorized: true });
  }

  /** What a visitor of this name gets at the front. */
  async function visit(servername: string, options: tls.ConnectionOptions = { rejectUnauthorized: false }) {
    const socket = net.connect({ host: "127.0.0.1", port: ports.front, localAddress: visitorAddress });
    const secure = tls.connect({ socket, servername, ...options });
    await once(secure, "secureConnect");
    secure.end(`GET / HTTP/1.1\r\nHost: ${servername}\r\nConnection: close\r\n\r\n`);
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
  const [, text] = new RegExp(`\`\`\`${language} title="${title}"\n([^\`]*)\`\`\``).exec(guide) ?? [];
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
