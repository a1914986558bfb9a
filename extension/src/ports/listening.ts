import { dialHost } from "./port-target.ts";

/** A port that somebody on this machine listens on. */
export interface ListeningPort {
  readonly host: string;
  readonly port: number;
  /** The program, where it can be seen. */
  readonly process: string | undefined;
  readonly pid: number | undefined;
  /** The folder that the program runs in, where it can be seen. */
  readonly cwd?: string | undefined;
}

/** One line a port, what `localhost` leads to before what has another address, the lowest port first. */
export function uniquePorts(ports: readonly ListeningPort[]): readonly ListeningPort[] {
  const byPort = new Map<number, ListeningPort>();
  const rank = ({ host, process }: ListeningPort): number =>
    (dialHost(host) === "localhost" ? 0 : 2) + (process === undefined ? 1 : 0);
  for (const each of ports) {
    const known = byPort.get(each.port);
    if (!known || rank(each) < rank(known)) byPort.set(each.port, each);
  }
  return [...byPort.values()].toSorted((a, b) => a.port - b.port);
}

/** A command line as people call it: the program and what it runs, without folders and flags. */
export function shortCommand(words: readonly string[]): string {
  const [program = "", ...rest] = words;
  const script = rest.find((word) => !word.startsWith("-"));
  return [program, ...(script === undefined ? [] : [script])].map((word) => word.split(/[\\/]/).at(-1)).join(" ");
}
