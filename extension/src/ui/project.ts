import { debug, tasks, window, workspace, Disposable, type ExtensionContext, type LogOutputChannel } from "vscode";
import { PortholeError } from "@porthole/common/errors";
import { systemClock } from "@porthole/common/util";
import type { AccessSpec } from "@porthole/tunnel/rpc";
import { listOf, OpenWatch, targetOf, type Controller, type ProjectPort } from "../controller/index.ts";
import { localOf, type PortTarget } from "../ports/index.ts";
import { t } from "../text.ts";
import { askSecret, firstAccess } from "./ask-access.ts";
import type { UiContext } from "./context.ts";
import { editorSettings } from "./vscode-host.ts";

/** In the workspace's state: the descriptions that the user has been told of. */
const toldKey = "project told";

/**
 * Asks whether the port may be exposed as the project describes it, when the user has not agreed to that yet. Returns false when they
 * leave.
 */
export async function agreeToProject({ project }: Controller, target: PortTarget): Promise<boolean> {
  const port = project.describes(target);
  if (!port || !project.isNews(target)) return true;
  const name = target.label ?? port.label ?? localOf(target);
  const isChange = project.isAdopted(target);
  const [use, without] = isChange
    ? [t("Use It"), t("Keep the Present One")]
    : [t("Expose as Described"), t("Expose Without It")];
  const message = isChange
    ? t("This project describes {0} in another way now. Use the new description?", name)
    : t("Expose {0} as this project describes it?", name);
  const choice = await window.showWarningMessage(message, { modal: true, detail: detailOf(port) }, use, without);
  if (choice === use) await project.adopt(target, port);
  return choice !== undefined;
}

/**
 * Returns the rules that a port gets when it is exposed: those that the user keeps for it, narrowed by what the adopted description
 * asks for, or the user's choice. `unchanged` when they stay as they are, undefined when the user leaves.
 */
export async function accessToExpose(
  { keys, project }: Controller,
  id: string,
  name: string,
): Promise<AccessSpec | "unchanged" | undefined> {
  const own = await keys.access(id);
  const { "access-webhook": scheme, "access-share": share } = project.adopted(id) ?? {};
  const hasCredentials = own?.users ?? own?.bearerTokens ?? own?.webhook ?? own?.share;
  const asks = scheme !== undefined || share === true;
  // What the user has chosen is never loosened by a project.
  if (!asks || hasCredentials) return own ? "unchanged" : firstAccess(name);
  if (!own && editorSettings.get("porthole.defaultAccess") === "password") return firstAccess(name);
  const wanted = scheme === undefined ? { share: true } : await askSecret(scheme);
  return wanted && { ...own, ...wanted };
}

export function projectCommands({ controller, run }: UiContext) {
  return {
    /** One question for all of them, and then each as if it was exposed by hand. */
    async "porthole.exposeProject"() {
      const { project } = controller;
      const { ports } = project;
      if (ports.length === 0) {
        void window.showInformationMessage(t("This project describes no ports."));
        return;
      }
      const news = ports.filter((port) => project.isNews(targetOf(port)));
      if (news.length > 0) {
        const expose = t("Expose as Described");
        const message = t("Expose the ports that this project describes?");
        const detail = news.map((port) => `${nameOf(port)}\n${detailOf(port)}`).join("\n\n");
        if ((await window.showWarningMessage(message, { modal: true, detail }, expose)) !== expose) return;
        for (const port of news) await project.adopt(targetOf(port), port);
      }
      for (const port of ports) await run("porthole.expose", targetOf(port));
    },
  };
}

/** Lists what the project describes, tells the user of it once, and exposes by itself what they have agreed to. */
export function projectPorts(
  { controller, run }: UiContext,
  log: LogOutputChannel,
  { workspaceState }: Pick<ExtensionContext, "workspaceState">,
): Disposable {
  const { project } = controller;
  const look = async (): Promise<void> => {
    project.offer();
    for (const problem of project.problems) log.warn(problem);
    const described = JSON.stringify(project.ports);
    if (!project.ports.some((port) => project.isNews(targetOf(port)))) return;
    if (workspaceState.get(toldKey) === described) return;
    await workspaceState.update(toldKey, described);
    const expose = t("Expose…");
    const names = project.ports.map(nameOf).join(", ");
    const choice = await window.showInformationMessage(t("This project describes ports: {0}", names), expose);
    if (choice === expose) await run("porthole.exposeProject");
  };
  const report = (reason: unknown): void => log.error(PortholeError.from(reason).message);

  /** The ports that the user lets this expose, and that nobody exposes now. */
  const waiting = (trigger: string): readonly PortTarget[] =>
    project.ports
      .filter((port) => listOf(port["auto-expose"])?.includes(trigger))
      .map(targetOf)
      .filter((target) => !project.isNews(target) && controller.find(controller.idOf(target))?.phase === "off");
  const start = async (target: PortTarget): Promise<void> => {
    const { relays, keys } = controller;
    const isChosen = (await keys.access(controller.idOf(target))) !== undefined;
    if (!isChosen || relays.isTrial || relays.configured.length === 0) return;
    await controller.expose(target);
    window.setStatusBarMessage(t("Exposed {0}, as this project describes it", target.label ?? localOf(target)), 5_000);
  };
  const onTrigger = (trigger: string): void => {
    for (const target of waiting(trigger)) start(target).catch(report);
  };
  const watch = new OpenWatch({
    clock: systemClock,
    ports: () => waiting("open").map(({ port }) => port),
    onOpen: (port) => waiting("open").forEach((each) => each.port === port && void start(each).catch(report)),
  });
  look().catch(report);
  return Disposable.from(
    workspace.onDidGrantWorkspaceTrust(() => look().catch(report)),
    workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("porthole.ports")) look().catch(report);
    }),
    tasks.onDidStartTask(({ execution }) => onTrigger(`task ${execution.task.name}`)),
    debug.onDidStartDebugSession(({ name }) => onTrigger(`launch ${name}`)),
    { dispose: () => watch.close() },
  );
}

function nameOf(port: ProjectPort): string {
  return port.label === undefined ? String(port.port) : `${port.label} · ${port.port}`;
}

/** Returns what the description says, in its own words: nothing is hidden from the person who agrees. */
function detailOf({ port: _port, label: _label, ...said }: ProjectPort): string {
  const lines = Object.entries(said).map(([name, value]) => `${name}: ${[value].flat().join(", ")}`);
  return lines.join("\n");
}
