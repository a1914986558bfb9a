import { cp, mkdtemp, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import net from "node:net";
import { compileCache, freePort, start, until, type Running, type Scope } from "@porthole/testing/end-to-end";
import { frameworkPackages } from "./packages.ts";

/** A project folder, and its development server. */
export interface Project {
  readonly folder: string;
  readonly port: number;
  readonly server: Running;
}

/** A copy of a folder of projects/, or an empty one. It stands beside the packages, because Next.js follows no links out of a project. */
export async function makeProject(scope: Scope, name?: string): Promise<string> {
  const folder = await mkdtemp(join(frameworkPackages(), "project-"));
  scope.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  if (name !== undefined) await cp(join(import.meta.dirname, "projects", name), folder, { recursive: true });
  return folder;
}

export function binaries(): string {
  return join(frameworkPackages(), "node_modules", ".bin");
}

/** Starts the server as its documentation says, on a free port, and waits until something listens there. */
export async function startProject(
  scope: Scope,
  folder: string,
  command: (port: number) => readonly [string, ...string[]],
): Promise<Project> {
  const port = await freePort();
  const [program, ...args] = command(port);
  const server = start(scope, program, args, {
    cwd: folder,
    env: {
      PATH: [binaries(), dirname(process.execPath), process.env["PATH"]].join(":"),
      // Not the project's folder: Next.js takes no packages from above a home.
      HOME: await scope.folder(),
      NODE_OPTIONS: `--require ${join(import.meta.dirname, "offline.cjs")}`,
      ...compileCache,
      NEXT_TELEMETRY_DISABLED: "1",
      ASTRO_TELEMETRY_DISABLED: "1",
    },
  });
  // A server that ends in order takes its own children along.
  scope.defer(() => server.kill("SIGTERM"));
  let isThere = false;
  const look = (): void => {
    const socket = net.connect({ host: "localhost", port, autoSelectFamily: true });
    socket.on("connect", () => {
      isThere = true;
      socket.destroy();
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      if (!isThere && server.child.exitCode === null && server.child.signalCode === null) setTimeout(look, 100);
    });
  };
  look();
  await until(
    () => isThere,
    () => `${program} listened on ${port}:\n${[...server.lines, ...server.errors].join("\n")}`,
    90_000,
  );
  return { folder, port, server };
}
