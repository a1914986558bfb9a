import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { buildPackages } from "@porthole/testing/built-programs";
import { get, run, siteAt, start, startHttp, useScope } from "@porthole/testing/end-to-end";
import { packPackages } from "../../scripts/release/npm-packages.ts";

const root = join(import.meta.dirname, "../..");

/** Both ends install it, so it holds only what both need. */
const maxCommonBytes = 250_000;

describe("the packages", function () {
  this.timeout(1_000_000);
  const scope = useScope();

  it("install globally, as a release makes them, and run where nothing knows of this repository", async () => {
    const [packed, folder, stateDir] = await Promise.all([scope.folder(), scope.folder(), scope.folder()]);
    await buildPackages();
    const tarballs = await packPackages(root, packed);
    assert.equal(tarballs.length, 4);
    for (const tarball of tarballs) assert.deepEqual(await problemsOf(tarball), [], tarball);
    const common = tarballs.find((tarball) => basename(tarball).startsWith("porthole-common-"));
    const { size } = await stat(common ?? assert.fail("@porthole/common is not packed"));
    assert.ok(size < maxCommonBytes, `@porthole/common has ${size} bytes`);
    await succeed(folder, "npm", ["install", "--global", "--prefix", folder, "--no-audit", "--no-fund", ...tarballs]);
    const bin = join(folder, "bin");
    const env = { PATH: process.env["PATH"], HOME: stateDir };
    for (const program of ["porthole", "porthole-relay"]) {
      const { code, stdout } = await run(join(bin, program), ["--version"], { cwd: folder });
      assert.deepEqual([code, /\d+\.\d+\.\d+/.test(stdout)], [0, true], program);
    }

    const ports = ["--api-port", "0", "--pub-port", "0"];
    const relay = start(
      scope,
      join(bin, "porthole-relay"),
      [...ports, "--json", "--state-dir", join(stateDir, "relay")],
      {
        cwd: folder,
        env,
      },
    );
    const { api } = JSON.parse(await relay.line(/Relay is ready/)) as { readonly api: number };
    const service = await startHttp(scope, (_request, response) => response.end("packed"));
    const client = start(
      scope,
      join(bin, "porthole"),
      [String(service.port), "--server", `127.0.0.1:${api}`, "--state-dir", join(stateDir, "client")],
      { cwd: folder, env },
    );
    const url = (await client.line(/^URL: /)).slice(5);
    await client.line(/^online/);
    assert.equal(await get(siteAt(url, join(stateDir, "client", "primary-self-signed.pem"))), "packed");
    assert.equal((await client.kill("SIGTERM")).code, 0);
    assert.equal((await relay.kill("SIGTERM")).code, 0);

    const demo = start(scope, join(bin, "porthole"), ["demo", "--api-port", "0", "--pub-port", "0"], {
      cwd: folder,
      env,
    });
    await demo.line(/^online at 127\.0\.0\.1:\d+ over /);
    await demo.line(/^Checked: .* status 200 /);
    assert.equal((await demo.kill("SIGTERM")).code, 0);
  });
});

/** What every package must have, and what none may. */
async function problemsOf(tarball: string): Promise<string[]> {
  const { stdout } = await run("tar", ["-tzf", tarball]);
  const files = stdout.trim().split("\n");
  const isBundle = files.some((file) => file.startsWith("package/bin/"));
  const wanted = ["README.md", "LICENSE", "package.json", ...(isBundle ? ["dist/ThirdPartyNotices.txt"] : [])];
  const missing = wanted.filter((name) => !files.includes(`package/${name}`));
  return [...missing, ...files.filter((file) => /[.]test[.]|[/](testing|src)[/]|tsbuildinfo|[.]map$/.test(file))];
}

async function succeed(cwd: string, command: string, args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await run(command, args, { cwd });
  assert.equal(code, 0, `${command} ${args.join(" ")}\n${stdout}${stderr}`);
}
