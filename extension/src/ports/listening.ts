/** A port that somebody on this machine listens on. */
export interface ListeningPort {
  readonly host: string;
  readonly port: number;
  /** The program, where it can be seen. */
  readonly process: string | undefined;
  readonly pid: number | undefined;
}

/** One line a port, loopback before other addresses, the lowest port first. */
export function uniquePorts(ports: readonly ListeningPort[]): readonly ListeningPort[] {
  const byPort = new Map<number, ListeningPort>();
  for (const each of ports) {
    const known = byPort.get(each.port);
    if (!known || (known.process === undefined && each.process !== undefined)) byPort.set(each.port, each);
  }
  return [...byPort.values()].toSorted((a, b) => a.port - b.port);
}

/** A command line as people call it: the program and what it runs, without folders and flags. */
export function shortCommand(words: readonly string[]): string {
  const [program = "", ...rest] = words;
  const script = rest.find((word) => !word.startsWith("-"));
  return [program, ...(script === undefined ? [] : [script])].map((word) => word.split(/[\\/]/).at(-1)).join(" ");
}
