import { dirname, resolve } from "node:path";
import { parse, stringify } from "smol-toml";
import { PortholeError } from "../errors.ts";
import { stateError } from "../util/state-file.ts";

/** A configuration file as it was read: each key with its value's text, or texts where it is a list. */
export interface ConfigFile {
  readonly path: string;
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** How errors name a key, if not by the path and the key. */
  readonly labelOf?: (key: string) => string;
}

/**
 * Reads a TOML file whose keys are the flags' names: texts, numbers, true and false, and lists of texts for flags that may
 * be given several times. Throws `usage` with the line of what is wrong, `state` when it can't be read.
 */
export function readConfigFile(path: string, readFile: (path: string) => string): ConfigFile {
  const values = new Map<string, readonly string[]>();
  for (const [key, value] of Object.entries(parsed(path, readFile))) {
    const texts = (Array.isArray(value) ? value : [value]).map((one: unknown) => {
      if (typeof one === "string") return one;
      if (typeof one === "number" || typeof one === "boolean") return String(one);
      throw new PortholeError("usage", `${path}: ${key} must be a text, a number, true, false, or a list of texts`);
    });
    values.set(key, texts);
  }
  return { path, values };
}

/** The text of a file that `readConfigFile` reads. */
export function formatConfigFile(
  settings: Readonly<Record<string, string | number | boolean | readonly string[]>>,
): string {
  return stringify(settings);
}

/** A relative path in a file is meant from where the file is: a service manager starts programs anywhere. */
export function resolvePath(file: ConfigFile, text: string): string {
  return text.startsWith("~/") ? text : resolve(dirname(file.path), text);
}

function parsed(path: string, readFile: (path: string) => string): Record<string, unknown> {
  let text: string;
  try {
    text = readFile(path);
  } catch (reason) {
    throw stateError("read", path, reason);
  }
  try {
    return parse(text);
  } catch (cause) {
    throw new PortholeError("usage", `${path} is not valid TOML: ${(cause as Error).message}`, {
      cause,
      hint: 'Each line is a flag without its dashes: pub-port = 443, domain-suffix = "tunnel.example.com".',
    });
  }
}
