import assert from "node:assert/strict";
import { chown, mkdir, writeFile } from "node:fs/promises";
import { existsSync, readdirSync } from "node:fs";
import net from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { generateKey } from "@porthole/common/identity";
import { platformReason, skipUnless } from "@porthole/testing/skip";
import {
  closed,
  compileCache,
  freePort,
  needProgram,
  programFile,
  run,
  runCli,
  start,
  startCli,
  startTcp,
  startTestClient,
  startTestRelay,
  until,
  useScope,
} from "@porthole/testing/end-to-end";

const size = 3_000_000;

describe("porthole connect", function () {
  this.timeout(120_000);
  const scope = useScope();

  /** A tunnel to the port; its name with the port. */
  async function exposed(port: number): Promise<string> {
    const relay = await startTestRelay(scope);
    const client = await startTestClient(scope, {
      servers: [relay.apiPort],
      local: `tcp://127.0.0.1:${port}`,
      transport: "http2",
    });
    const { urls } = await client.online();
    return new URL(urls[0] ?? "").host;
  }

  /** A port of this machine that leads to the name. */
  async function connected(name: string): Promise<number> {
    const running = startCli(scope, "client", ["connect", name]);
    const line = await running.line(/^127\.0\.0\.1:\d+ → /);
    scope.defer(async () => assert.equal((await running.kill("SIGINT")).code, 0));
    return Number(/:(\d+)/.exec(line)?.[1]);
  }

  const listens = (port: number): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = net.connect(port, "127.0.0.1", () => resolve(true));
      socket.on("error", () => resolve(false)).on("connect", () => socket.destroy());
    });

  it("carries bytes both ways over standard streams, and each end as an end", async () => {
    const service = await startTcp(scope, (socket) => socket.pipe(socket));
    const name = await exposed(service.port);
    const sent = "x".repeat(size);
    const argv = ["--conditions=source", programFile("client"), "connect", name, "-"];
    const script = `head -c ${size} /dev/zero | tr '\\0' x | "$@"`;
    const { code, stdout, stderr } = await run("sh", ["-c", script, "sh", process.execPath, ...argv], {
      env: { PATH: process.env["PATH"], HOME: "/nonexistent", ...compileCache },
    });
    assert.equal(code, 0, stderr);
    assert.ok(stdout === sent, `${stdout.length} bytes`);
  });

  it("believes nobody but the key in the name, the pin, or an authority", async () => {
    const service = await startTcp(scope, (socket) => socket.end("hello"));
    const name = await exposed(service.port);
    const other = generateKey();
    for (const [argv, code, text] of [
      [
        [name, "-", "--fingerprint", other.fingerprint],
        1,
        /another key than the given fingerprint[\s\S]*Nothing was sent/,
      ],
      [[`${other.clientId}.localhost:${name.split(":")[1]}`, "-"], 1, /serves|closed the connection/],
      [["127.0.0.1"], 2, /is not a public name/],
      [["app"], 2, /is not a public name[\s\S]*Copy it from the URL/],
      [[name, "99999"], 2, /The local port/],
      [[`app.localhost:${await freePort()}`, "-"], 1, /Nothing listens at app\.localhost/],
      [[], 2, /needs a public name/],
    ] as const) {
      const wrong = await runCli(scope, "client", ["connect", ...argv]);
      assert.equal(wrong.code, code, wrong.stderr);
      assert.match(wrong.stderr, text);
    }
  });

  it("is the ProxyCommand of OpenSSH", async function () {
    needProgram(this, "ssh");
    const sshd = "/usr/sbin/sshd";
    skipUnless(this, existsSync(sshd), "openssh-server is not installed");
    skipUnless(this, process.getuid?.() === 0, platformReason("sshd needs root for a folder of its own"));
    const folder = await scope.folder();
    const [hostKey, userKey] = [join(folder, "host"), join(folder, "user")];
    for (const file of [hostKey, userKey])
      assert.equal((await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file])).code, 0);
    await mkdir("/run/sshd", { recursive: true });
    const port = await freePort();
    const settings = [
      ...[`Port ${port}`, "ListenAddress 127.0.0.1", `HostKey ${hostKey}`, `AuthorizedKeysFile ${userKey}.pub`],
      ...["StrictModes no", "UsePAM no", "PidFile none", "PermitRootLogin yes"],
    ];
    await writeFile(join(folder, "sshd_config"), `${settings.join("\n")}\n`);
    start(scope, sshd, ["-D", "-e", "-f", join(folder, "sshd_config")]);
    await until(() => listens(port), "sshd listens");
    const [host = "", publicPort = ""] = (await exposed(port)).split(":");
    const proxy = `'${process.execPath}' --conditions=source '${programFile("client")}' connect %h:${publicPort} -`;
    const options = {
      ...{ ProxyCommand: proxy, StrictHostKeyChecking: "no", UserKnownHostsFile: join(folder, "known") },
      ...{ IdentityFile: userKey, IdentitiesOnly: "yes", BatchMode: "yes" },
    };
    const argv = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
    const command = `head -c ${size} /dev/zero | wc -c`;
    const { code, stdout, stderr } = await run("ssh", [
      "-F",
      "none",
      ...argv,
      `${userInfo().username}@${host}`,
      command,
    ]);
    assert.equal(code, 0, stderr);
    assert.equal(stdout.trim(), String(size));
  });

  it("leads psql to PostgreSQL", async function () {
    needProgram(this, "psql");
    const versions = "/usr/lib/postgresql";
    const [version] = existsSync(versions) ? readdirSync(versions).toSorted().toReversed() : [];
    skipUnless(this, version !== undefined, "postgresql is not installed");
    needProgram(this, "setpriv");
    skipUnless(
      this,
      process.getuid?.() === 0,
      platformReason("PostgreSQL does not run as root, and only root can change users"),
    );
    const folder = await scope.folder();
    const bin = join(versions, version ?? "", "bin");
    const uid = Number((await run("id", ["-u", "postgres"])).stdout);
    await chown(folder, uid, uid);
    const as = ["--reuid", String(uid), "--regid", String(uid), "--clear-groups"];
    const data = join(folder, "data");
    const made = await run(
      "setpriv",
      [...as, join(bin, "initdb"), "-D", data, "-U", "ada", "-A", "trust", "--no-sync"],
      { cwd: folder },
    );
    assert.equal(made.code, 0, made.stderr);
    const port = await freePort();
    const settings = ["-c", "listen_addresses=127.0.0.1", "-c", `unix_socket_directories=${folder}`, "-c", "fsync=off"];
    const server = start(
      scope,
      "setpriv",
      [...as, join(bin, "postgres"), "-D", data, "-p", String(port), ...settings],
      { cwd: folder },
    );
    scope.defer(async () => void (await server.kill("SIGINT")));
    await until(
      async () => (await run(join(bin, "pg_isready"), ["-h", "127.0.0.1", "-p", String(port)])).code === 0,
      "PostgreSQL is ready",
    );
    const local = await connected(await exposed(port));
    const query = `select sum(n), length(repeat('x', ${size})) from generate_series(1, 1000) n`;
    const { code, stdout, stderr } = await run("psql", [
      `host=127.0.0.1 port=${local} user=ada dbname=postgres sslmode=disable`,
      "-Atc",
      query,
    ]);
    assert.equal(code, 0, stderr);
    assert.equal(stdout.trim(), `500500|${size}`);
  });

  it("leads redis-cli to Redis", async function () {
    needProgram(this, "redis-server");
    needProgram(this, "redis-cli");
    const port = await freePort();
    const server = start(scope, "redis-server", [
      "--port",
      String(port),
      "--bind",
      "127.0.0.1",
      "--save",
      "",
      "--dir",
      await scope.folder(),
    ]);
    await server.line(/Ready to accept connections/);
    const local = await connected(await exposed(port));
    const redis = async (...argv: string[]) => (await run("redis-cli", ["-p", String(local), ...argv])).stdout.trim();
    assert.equal(await redis("set", "key", "value"), "OK");
    assert.equal(await redis("get", "key"), "value");
    await server.kill("SIGTERM");
  });

  it("leads MQTT clients to Mosquitto", async function () {
    const broker = "/usr/sbin/mosquitto";
    skipUnless(this, existsSync(broker), "mosquitto is not installed");
    for (const program of ["mosquitto_sub", "mosquitto_pub"]) needProgram(this, program);
    const folder = await scope.folder();
    const port = await freePort();
    await writeFile(join(folder, "conf"), `listener ${port} 127.0.0.1\nallow_anonymous true\nuser root\n`);
    start(scope, broker, ["-c", join(folder, "conf")]);
    await until(() => listens(port), "Mosquitto listens");
    const local = String(await connected(await exposed(port)));
    const subscriber = start(scope, "mosquitto_sub", ["-p", local, "-h", "127.0.0.1", "-t", "porthole", "-C", "1"]);
    // Retained, so that it does not matter who is there first.
    const published = await run("mosquitto_pub", [
      "-p",
      local,
      "-h",
      "127.0.0.1",
      "-t",
      "porthole",
      "-m",
      "a message",
      "-r",
    ]);
    assert.equal(published.code, 0, published.stderr);
    assert.equal(await subscriber.line(/./), "a message");
    assert.equal((await subscriber.exited).code, 0);
  });

  it("says why a connection failed, and stays for the next one", async () => {
    const port = await freePort();
    const name = `app.localhost:${port}`;
    const running = startCli(scope, "client", ["connect", name]);
    const local = Number(/:(\d+)/.exec(await running.line(/^127/))?.[1]);
    const socket = net.connect(local, "127.0.0.1");
    socket.on("error", () => {});
    await closed(socket);
    await until(() => running.errors.some((line) => line.includes(`Nothing listens at ${name}`)), "the reason is told");
    assert.equal(running.child.exitCode, null);
    assert.equal((await running.kill("SIGINT")).code, 0);
  });
});
