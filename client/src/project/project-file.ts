import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parse, TomlError } from "smol-toml";
import { PortholeError } from "@porthole/common/errors";
import { nearestOf, readOptions, type ConfigFile } from "@porthole/common/options";
import { dataFolder, stateError } from "@porthole/common/util";
import { clientSettings, settingsTrouble, tunnelSettings, type SettingsFile } from "@porthole/tunnel/settings";
import { clientOptions, type ClientValues } from "../options.ts";
import type { NamedTarget } from "../targets.ts";
import { lineOf } from "./toml-line.ts";

export const fileName = "porthole.toml";
const maxBytes = 64 * 1024;

/** A tunnel of the file: its name there, and all of its options. */
export interface ProjectTunnel {
  readonly shortName: string;
  readonly target: NamedTarget;
  readonly values: ClientValues;
}

export interface Project {
  readonly path: string;
  readonly tunnels: readonly ProjectTunnel[];
}

/** Returns the file that is meant: the given one, that of the folder or the nearest above it, or the user's own. Throws `usage`. */
export function findProjectFile(given: string | undefined, folder: string, stateDir = dataFolder("porthole")): string {
  if (given !== undefined) return resolve(folder, given);
  for (let at = resolve(folder); ; at = dirname(at)) {
    const path = join(at, fileName);
    if (existsSync(path)) return path;
    if (dirname(at) === at) break;
  }
  const own = join(stateDir, fileName);
  if (existsSync(own)) return own;
  throw new PortholeError("usage", `There is no ${fileName} in this folder, in one above it, or in ${stateDir}`, {
    hint: "porthole init writes one, and --file PATH names another one.",
  });
}

/** Reads and checks every setting. Throws `usage` with file, line and what to do, `state` when the file can't be read. */
export function readProject(path: string): Project {
  const text = read(path);
  const settings = checked(path, text);
  const { project, tunnels = {} } = settings;
  const names = Object.keys(tunnels);
  if (names.length === 0)
    throw new PortholeError("usage", `${path} describes no tunnel`, {
      hint: "Add one: [tunnels.web] in a line, local = 3000 in the next.",
    });
  return {
    path,
    tunnels: names.map((shortName) => {
      const values = valuesOf(path, text, settings, shortName);
      const name = project === undefined ? shortName : `${project}.${shortName}`;
      return { shortName, values, target: { name, service: values.local, values } };
    }),
  };
}

function read(path: string): string {
  try {
    if (statSync(path).size <= maxBytes) return readFileSync(path, "utf8");
  } catch (reason) {
    throw stateError("read", path, reason);
  }
  throw new PortholeError("usage", `${path} is longer than ${maxBytes / 1024} KiB`);
}

function checked(path: string, text: string): SettingsFile {
  let data: unknown;
  try {
    data = parse(text);
  } catch (cause) {
    const line = cause instanceof TomlError ? cause.line : 1;
    const [what = ""] = (cause as Error).message.split("\n");
    throw new PortholeError("usage", `${path}:${line}: ${what}`, {
      cause,
      hint: 'Each line is a setting, local = 3000 or name = "app", or a heading, [tunnels.web].',
    });
  }
  const { settings, trouble } = settingsTrouble(data);
  if (settings) return settings;
  const where = `${path}:${lineOf(text, trouble.path)}`;
  const key = trouble.path.at(-1) ?? "";
  throw new PortholeError("usage", `${where}: ${trouble.path.join(".")} ${trouble.problem}`, {
    hint: hintFor(key, trouble.known),
  });
}

/** `known`: the settings that there are, when the key is none. */
function hintFor(key: string, known: readonly string[] | undefined): string {
  if (!known) return "porthole --help all says what each setting takes.";
  // As a flag has it.
  const negated = key.replace(/^no-/, "");
  if (negated !== key && known.includes(negated)) return `Write ${negated} = false.`;
  const nearest = nearestOf(key, known);
  return nearest === undefined
    ? "The settings are called as the flags of porthole --help all are, without the dashes."
    : `Did you mean ${nearest}?`;
}

type Setting = string | number | boolean | readonly string[];

/** The tunnel's own settings over those at the top of the file. Paths are meant from where the file is. */
function valuesOf(path: string, text: string, settings: SettingsFile, name: string): ClientValues {
  const { tunnels = {}, project: _project, ...defaults } = settings;
  const own = tunnels[name] ?? {};
  const values = new Map<string, readonly string[]>();
  for (const key of [...Object.keys(clientSettings), ...Object.keys(tunnelSettings)]) {
    const value = (own[key as keyof typeof own] ?? defaults[key as keyof typeof defaults]) as Setting | undefined;
    if (value === undefined) continue;
    values.set(key, [value].flat().map(String));
  }
  if (!values.has("local"))
    throw new PortholeError(
      "usage",
      `${path}:${lineOf(text, ["tunnels", name])}: tunnels.${name} has no local service`,
      {
        hint: "Add a line local = 3000, with the port of your service.",
      },
    );
  const labelOf = (key: string): string => {
    const keys = Object.hasOwn(own, key) ? ["tunnels", name, key] : [key];
    return `${path}:${lineOf(text, keys)}: ${keys.join(".")}`;
  };
  const file: ConfigFile = { path, values, labelOf };
  return readOptions(clientOptions, [], {}, { settings: file }).values;
}
