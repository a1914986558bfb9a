import { join, relative } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import { defineOptions, path, readOptions } from "@porthole/common/options";
import { createFileAtomic, dataFolder } from "@porthole/common/util";
import { clientOptions, runOptions } from "../options.ts";
import { runClient } from "../run.ts";
import { withRunningClient } from "../running-client.ts";
import { maxTargets } from "../targets.ts";
import { guessServers, nameOf, type Guess } from "./guess.ts";
import { fileName, findProjectFile, readProject, type Project, type ProjectTunnel } from "./project-file.ts";

const file = {
  help: `Another file than ${fileName} of this folder, of one above it, or of the state folder`,
  parse: path,
} as const;

export const upOptions = defineOptions({
  file,
  proxy: clientOptions.proxy,
  ...runOptions,
});
export const downOptions = defineOptions({ file, "state-dir": clientOptions["state-dir"] });
export const configOptions = downOptions;
export const initOptions = defineOptions({ file: { help: "Where to write it", parse: path, defaultHelp: fileName } });

/** `porthole up [NAME...]`: exposes what the file describes, until the user ends it. */
export async function up(argv: readonly string[]): Promise<void> {
  const { values, positionals } = readOptions(upOptions, argv, process.env, { maxPositionals: maxTargets });
  const tunnels = chosen(projectOf(values), positionals);
  const [first] = tunnels;
  if (!first) throw new PortholeError("internal", "A project has no tunnel");
  const { file: _file, proxy = first.values.proxy, ...ofTheRun } = values;
  await runClient(
    { ...first.values, ...ofTheRun, proxy },
    tunnels.map(({ target }) => target),
  );
}

/** `porthole down [NAME...]`: ends the file's tunnels, or some of them. Returns what to print. */
export async function down(argv: readonly string[]): Promise<string> {
  const { values, positionals } = readOptions(downOptions, argv, process.env, { maxPositionals: maxTargets });
  const names = chosen(projectOf(values), positionals).map(({ target }) => target.name);
  const stopped = await withRunningClient(values["state-dir"], async (client) => {
    const { tunnels } = await client.call("tunnel/list", {});
    const running = names.filter((name) => tunnels.some(({ id }) => id === name));
    for (const id of running) await client.call("tunnel/stop", { id });
    return running;
  });
  return stopped.length === 0 ? "None of them was running.\n" : `Stopped: ${stopped.join(", ")}.\n`;
}

/** `porthole config check`: what the file says. Returns what to print, throws `usage` for a mistake. */
export function config(argv: readonly string[]): string {
  const { values, positionals } = readOptions(configOptions, argv, process.env, { maxPositionals: 1 });
  if (positionals[0] !== "check")
    throw new PortholeError("usage", `porthole config does not know ${positionals[0] ?? "what to do"}`, {
      hint: "porthole config check reads the file and says what is wrong with it.",
    });
  const project = projectOf(values);
  const lines = project.tunnels.map(({ target }) => `  ${target.name} → ${target.service.text}\n`);
  return `${project.path} is fine. Its tunnels:\n${lines.join("")}`;
}

/** `porthole init`: writes a file for the folder. Returns what to print. */
export async function init(argv: readonly string[]): Promise<string> {
  const { values } = readOptions(initOptions, argv, process.env);
  const folder = process.cwd();
  const place = values.file ?? join(folder, fileName);
  const guesses = guessServers(folder);
  if (!(await createFileAtomic(place, fileFor(nameOf(folder), guesses))))
    throw new PortholeError("state", `${place} is there already`, {
      hint: "Edit it, or name another one with --file.",
    });
  const found =
    guesses.length === 0
      ? "No development server was recognised: write its port into the file.\n"
      : guesses.map(({ name, port, reason }) => `  ${name}: port ${port} (${reason})\n`).join("");
  return `${relative(folder, place) || place} is written.\n${found}Then: porthole up\n`;
}

function projectOf(values: { readonly file: string | undefined; readonly "state-dir": string | undefined }): Project {
  return readProject(findProjectFile(values.file, process.cwd(), values["state-dir"] ?? dataFolder("porthole")));
}

/** By their names in the file, or all. Throws `usage` for one that is not there. */
function chosen(project: Project, names: readonly string[]): readonly ProjectTunnel[] {
  const all = project.tunnels;
  const unknown = names.find((name) => !all.some((each) => each.shortName === name || each.target.name === name));
  if (unknown !== undefined)
    throw new PortholeError("usage", `${project.path} has no tunnel ${JSON.stringify(unknown)}`, {
      hint: `It has: ${all.map(({ shortName }) => shortName).join(", ")}.`,
    });
  return names.length === 0
    ? all
    : all.filter(({ shortName, target }) => names.includes(shortName) || names.includes(target.name));
}

function fileFor(project: string, guesses: readonly Guess[]): string {
  const tunnels =
    guesses.length > 0 ? guesses : [{ name: "web", port: 3000, reason: "change it to your server's port" }];
  return [
    "#:schema https://raw.githubusercontent.com/porthole/porthole/main/client/porthole.schema.json",
    "# porthole up starts these tunnels. Each setting is called as its flag in porthole --help all.",
    "",
    "# Begins the tunnels' names, so that two projects can both have a web.",
    `project = ${JSON.stringify(project)}`,
    ...tunnels.flatMap(({ name, port, reason }) => [
      "",
      `[tunnels.${JSON.stringify(name)}]`.replaceAll(/"([a-z0-9_-]+)"/g, "$1"),
      `local = ${port} # ${reason}`,
    ]),
    "",
  ].join("\n");
}
