import { join } from "node:path";
import { platformReason, skipUnless } from "@porthole/testing";
import { needProgram, run } from "@porthole/testing/end-to-end";
import { chromium } from "./chromium.ts";
import type { Client } from "./client.ts";
import { curl } from "./curl.ts";
import { runProgram } from "./program.ts";

const here = (name: string): string => join(import.meta.dirname, name);

function node(how: "http" | "fetch"): Client {
  return {
    reader: how === "http" ? "node:http" : "fetch",
    visitor: "HTTP/1.1",
    need: () => {},
    read: (scope, destination, visits) =>
      runProgram(scope, process.execPath, [here("node-client.ts"), how], destination, visits),
  };
}

const python: Client = {
  reader: "python",
  visitor: "HTTP/1.1",
  need: (context) => needProgram(context, "python3"),
  read: (scope, destination, visits) => runProgram(scope, "python3", [here("client.py")], destination, visits),
};

/** Debian's package is half a gigabyte, so it is nothing that tests install. */
function go(visitor: Client["visitor"]): Client {
  return {
    reader: "go",
    visitor,
    async need(context) {
      const { code } = await run("go", ["version"]);
      skipUnless(context, code === 0, platformReason("go is not on this machine"));
    },
    async read(scope, destination, visits) {
      const program = join(await scope.folder(), "client");
      const built = await run("go", ["build", "-o", program, here("client.go")]);
      if (built.code !== 0) throw new Error(`go could not build the client:\n${built.stderr}`);
      return runProgram(scope, program, [visitor], destination, visits);
    },
  };
}

/** The programs that people visit with. */
export const clients: readonly Client[] = [
  ...[curl("HTTP/1.1"), curl("HTTP/2"), node("http"), node("fetch"), python, go("HTTP/1.1"), go("HTTP/2"), chromium],
];
