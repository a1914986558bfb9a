import { QuickPickItemKind, window, workspace, type QuickPickItem } from "vscode";
import type { Controller } from "../controller/index.ts";
import {
  dialHost,
  isInside,
  listListeningPorts,
  localOf,
  portChoices,
  typedTarget,
  type KnownPort,
  type PortChoice,
  type PortTarget,
} from "../ports/index.ts";
import { t } from "../text.ts";

const listTimeoutMs = 10_000;
/** The tunnels of other windows listen, too, when they carry a trial relay. */
const daemonProgram = /\bdaemon\.mjs$/;

interface PortItem extends QuickPickItem {
  readonly target?: PortTarget | undefined;
}

/** Asks which port to expose: one that this user's programs listen on, or one that is typed. Undefined when the user leaves. */
export async function pickPort(controller: Controller): Promise<PortTarget | undefined> {
  const picker = window.createQuickPick<PortItem>();
  picker.title = t("Expose a Port");
  picker.placeholder = t("Choose a port, or type one: 3000, host:3000, https://localhost:3000");
  picker.busy = true;
  let ports: readonly KnownPort[] = [];
  const show = (): void => {
    picker.items = withGroups(portChoices(picker.value, ports));
  };
  const chosen = new Promise<PortTarget | undefined>((resolve) => {
    picker.onDidAccept(() => {
      // A row that was replaced at the same moment is not selected.
      const [selected] = picker.selectedItems;
      const target = selected ? selected.target : typedTarget(picker.value, ports);
      if (target) resolve(target);
    });
    picker.onDidHide(() => resolve(undefined));
  });
  picker.onDidChangeValue(show);
  picker.show();
  try {
    ports = await knownPorts(controller);
  } catch {
    // Without the system's list one can still type.
  }
  picker.busy = false;
  show();
  const target = await chosen;
  picker.dispose();
  return target;
}

async function knownPorts({ state: { daemon, exposures } }: Controller): Promise<readonly KnownPort[]> {
  const ports = await listListeningPorts(AbortSignal.timeout(listTimeoutMs));
  const folders = (workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);
  const exposed = new Set(exposures.filter(({ phase }) => phase !== "off").map(({ target }) => localOf(target)));
  // Our own process listens when it carries a trial relay; our parent does when the editor is in a browser.
  const ours = [process.ppid, daemon.status === "running" ? daemon.pid : undefined];
  return ports
    .filter(
      ({ pid, process: program }) => !(pid !== undefined && ours.includes(pid)) && !daemonProgram.test(program ?? ""),
    )
    .map(({ host, port, process: label, pid, cwd }) => {
      const target = { host: dialHost(host), port, scheme: undefined, label };
      return { target, pid, isWorkspace: isInside(cwd, folders), isExposed: exposed.has(localOf(target)) };
    });
}

/** The rows, under a heading for each group. All of them are shown whatever is typed: they were chosen for it. */
function withGroups(choices: readonly PortChoice[]): readonly PortItem[] {
  let group = "";
  return choices.flatMap((choice): readonly PortItem[] => {
    if (!choice.target) return [{ label: `$(info) ${choice.problem}`, alwaysShow: true }];
    const { target, known } = choice;
    const heading = known === undefined ? "" : known.isWorkspace ? t("This Workspace") : t("Other Programs");
    const separator =
      heading === "" || heading === group ? [] : [{ label: heading, kind: QuickPickItemKind.Separator }];
    group = heading;
    const facts = [
      known?.isExposed ? t("exposed") : undefined,
      target.label,
      known?.pid === undefined ? undefined : t("process {0}", known.pid),
    ];
    const name = target.host === "localhost" && !target.scheme ? String(target.port) : localOf(target);
    return [
      ...separator,
      { label: `$(plug) ${name}`, description: facts.filter(Boolean).join(" · "), alwaysShow: true, target },
    ];
  });
}
