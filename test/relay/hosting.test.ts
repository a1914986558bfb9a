import assert from "node:assert/strict";
import { chown, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { buildPackages } from "@porthole/testing/built-programs";
import { platformReason, skipUnless } from "@porthole/testing/skip";
import {
  get,
  needProgram,
  needQuic,
  run,
  siteAt,
  start,
  startCli,
  startHttp,
  useScope,
} from "@porthole/testing/end-to-end";

const root = join(import.meta.dirname, "../..");
/** The user of the images. */
const imageUser = 10_001;

describe("hosting", function () {
  this.timeout(120_000);
  const scope = useScope();

  for (const file of ["docker/docker-compose.yml", "docker/cluster.yml", "examples/compose/docker-compose.yml"])
    it(`has a Compose file that Compose reads: ${file}`, async function () {
      const isPlugin = (await run("docker", ["compose", "version"])).code === 0;
      const [command, words] = isPlugin ? (["docker", ["compose"]] as const) : (["docker-compose", []] as const);
      needProgram(this, command);
      const env = { ...process.env, DOMAIN_SUFFIX: "tunnel.example.com" };
      const profile = file.startsWith("docker/") ? ["--profile", "client"] : [];
      const config = [...words, "-f", join(root, file), ...profile, "config", "-q"];
      const { code, stderr } = await run(command, config, { env });
      assert.equal(code, 0, stderr);
    });

  it("has a relay.toml beside the example's Compose file with which a relay starts, and which Prometheus can ask", async () => {
    const file = join(root, "examples/compose/relay.toml");
    const ports = ["--api-port", "--pub-port", "--alpn-port", "--admin-port"].flatMap((flag) => [flag, "0"]);
    const here = ["--bind-addr", "127.0.0.1", "--admin-addr", "127.0.0.1", "--acme-directory", "https://127.0.0.1:9/"];
    const relay = startCli(scope, "relay", [
      ...["--config", file, ...ports, ...here, "--open"],
      ...["--state-dir", await scope.folder()],
    ]);
    const { admin } = JSON.parse(await relay.line(/Relay is ready/)) as { readonly admin: number };
    const url = `http://127.0.0.1:${admin}/metrics`;
    const { stdout } = await run("curl", ["--silent", "--max-time", "20", "--header", "Host: relay:9464", url]);
    assert.match(stdout, /^porthole_/m);
    await relay.kill("SIGTERM");
  });

  for (const [path, ofUser] of [
    ["packaging/porthole-relay.service", []],
    ["packaging/porthole.service", ["--user"]],
    ["packaging/porthole-nats.service", []],
    ["examples/systemd/porthole-web.service", []],
  ] as const)
    it(`has a unit that systemd reads: ${path}`, async function () {
      const { code: isThere } = await run("systemd-analyze", ["--version"]);
      skipUnless(this, isThere === 0, platformReason("there is no systemd-analyze here"));
      const unit = await readFile(join(root, path), "utf8");
      const copy = join(await scope.folder(), basename(path));
      await writeFile(copy, unit.replace(/\/usr\/local\/bin\/\S+/, process.execPath));
      const { code, stderr } = await run("systemd-analyze", ["verify", "--man=no", ...ofUser, copy], {
        // A user's systemd has one, where it runs or not.
        env: { ...process.env, XDG_RUNTIME_DIR: await scope.folder() },
      });
      assert.equal(code, 0, stderr);
      const ofTheUnit = stderr.split("\n").filter((line) => line.startsWith(copy) || line.includes("Unknown"));
      assert.deepEqual(ofTheUnit, []);
    });

  it("runs the relay as its image does: another user, no capabilities, nothing to write to but its state and /tmp", async function () {
    needQuic.call(this);
    skipUnless(this, process.getuid?.() === 0 && process.platform === "linux", platformReason("needs root on Linux"));
    needProgram(this, "setpriv");
    await buildPackages();
    const [stateDir, clientDir] = await Promise.all([scope.folder(), scope.folder()]);
    await chown(stateDir, imageUser, imageUser);
    const relay = start(
      scope,
      "unshare",
      ["--mount", "sh", "-euc", asImage, "sh", root, dirname(process.execPath), stateDir],
      {
        env: { PATH: process.env["PATH"], PORTHOLE_API_PORT: "0", PORTHOLE_PUB_PORT: "0", PORTHOLE_JSON: "true" },
      },
    );
    const { api } = JSON.parse(await relay.line(/Relay is ready/)) as { readonly api: number };
    const service = await startHttp(scope, (_request, response) => response.end("from a container"));
    const client = startCli(scope, "client", [
      ...[String(service.port), "--server", `127.0.0.1:${api}`, "--transport", "quic"],
      ...["--state-dir", clientDir],
    ]);
    const url = (await client.line(/^URL: /)).slice(5);
    await client.line(/^online.*QUIC/i);
    assert.equal(await get(siteAt(url, join(clientDir, "primary-self-signed.pem"))), "from a container");

    const health = await run(process.execPath, [
      join(root, "relay/dist/main.js"),
      "status",
      "--json",
      "--state-dir",
      stateDir,
    ]);
    assert.equal(health.code, 0, health.stderr);
    assert.equal((await client.kill("SIGTERM")).code, 0);
    assert.equal((await relay.kill("SIGTERM")).code, 0);
  });
});

/** $1 the repository, $2 the folder of Node, $3 the state: seen where everybody may look, all but the state and a fresh /tmp read-only. */
const asImage = `
mount --bind "$1" /srv
mount --bind "$2" /opt
mount --bind "$3" /mnt
mount -t tmpfs -o mode=1777 tmpfs /tmp
for folder in / /srv /opt; do mount -o remount,bind,ro "$folder"; done
cd /srv
PORTHOLE_STATE_DIR=/mnt exec setpriv --reuid ${imageUser} --regid ${imageUser} --clear-groups --no-new-privs \
  --inh-caps=-all --bounding-set=-all /opt/node relay/dist/main.js`;
