import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { needProgram, run } from "@porthole/testing/end-to-end";
import { readHead } from "../http1.ts";
import type { Field, Inform, SeenAnswer } from "../messages.ts";
import type { Client, ClientVisit, Destination } from "./client.ts";

/** All requests by one process, which keeps its connections. */
export function curl(visitor: Client["visitor"]): Client {
  return {
    reader: "curl",
    visitor,
    need: (context) => needProgram(context, "curl"),
    async read(scope, destination, visits) {
      const folder = await scope.folder();
      const file = (name: string): string => join(folder, name);
      const config = visits.map((visit, index) => section(visit, index, destination, visitor, folder)).join("next\n");
      await Promise.all([
        writeFile(file("config"), config),
        ...visits.map(
          ({ upload }, index) => upload !== undefined && writeFile(file(`${index}.upload`), "x".repeat(upload)),
        ),
      ]);
      const { stdout } = await run("curl", ["--config", file("config")]);
      const codes = stdout.trim().split("\n").map(Number);
      return Promise.all(
        visits.map(async ({ method }, index) => {
          const head = await readFile(file(`${index}.head`), "latin1").catch(() => "");
          // For HEAD curl writes the head there.
          const body = method === "HEAD" ? "" : await readFile(file(`${index}.body`), "latin1").catch(() => "");
          return answerOf(head, body, codes[index] === 0);
        }),
      );
    },
  };
}

function section(
  { method, path, upload }: ClientVisit,
  index: number,
  { origin, site }: Destination,
  visitor: Client["visitor"],
  folder: string,
): string {
  return [
    `url = "${origin}${path}"`,
    method === "HEAD" ? "head" : `request = "${method}"`,
    ...(upload === undefined ? [] : [`data-binary = "@${join(folder, `${index}.upload`)}"`, 'header = "Expect:"']),
    visitor === "HTTP/2" ? "http2" : "http1.1",
    ...(site ? [`resolve = "${site.hostname}:${site.port}:127.0.0.1"`, `cacert = "${site.caPath}"`] : []),
    `output = "${join(folder, `${index}.body`)}"`,
    `dump-header = "${join(folder, `${index}.head`)}"`,
    'write-out = "%{exitcode}\\n"',
    "path-as-is\nsilent\nmax-time = 10\n",
  ].join("\n");
}

function answerOf(text: string, body: string, isWhole: boolean): SeenAnswer {
  const informs: Inform[] = [];
  let rest = text;
  for (;;) {
    const head = readHead(rest);
    const [, status = "0", reason = ""] = /^\S+ +(\d+)(?: +(.*))?$/.exec(head?.start ?? "") ?? [];
    const answer = { status: Number(status), fields: head?.fields ?? [] };
    if (head && answer.status >= 100 && answer.status < 200) {
      informs.push(answer);
      rest = rest.slice(head.size);
      continue;
    }
    // Trailers are dumped behind the head.
    const trailers = head ? fieldsBehind(rest.slice(head.size)) : [];
    return { informs, ...answer, reason, body, trailers, end: isWhole ? "whole" : "cut" };
  }
}

function fieldsBehind(text: string): Field[] {
  return readHead(`\r\n${text}\r\n`)?.fields ?? [];
}
