import type { ListeningPort } from "./listening.ts";

/** `-F` makes lsof print one field a line: p(id), c(ommand), n(ame). lsof(8), OUTPUT FOR OTHER PROGRAMS. */
export const lsofArgs = ["-nP", "-iTCP", "-sTCP:LISTEN", "-a", "-u", "", "-F", "pcn"] as const;

export function parseLsof(text: string): ListeningPort[] {
  const ports: ListeningPort[] = [];
  let pid: number | undefined;
  let process: string | undefined;
  for (const line of text.split("\n")) {
    const value = line.slice(1);
    if (line.startsWith("p")) [pid, process] = [Number(value), undefined];
    else if (line.startsWith("c")) process = value;
    else if (line.startsWith("n")) {
      const [, host = "", port = ""] = /^(.*):(\d+)$/.exec(value) ?? [];
      if (port !== "")
        ports.push({
          host: host === "*" ? "0.0.0.0" : host.replace(/^\[(.*)\]$/, "$1"),
          port: Number(port),
          process,
          pid,
        });
    }
  }
  return ports;
}
