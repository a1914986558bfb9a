import { QuickPickItemKind, window, type QuickPickItem } from "vscode";
import { describeExposure, nameOf, urlOf, type Controller, type Exposure } from "../controller/index.ts";
import { dialHost, listListeningPorts, localOf, readAddress, type PortTarget } from "../ports/index.ts";
import { t } from "../text.ts";
import { stateCodicon } from "./icons.ts";
import { exposureIdOf } from "./context.ts";

const listTimeoutMs = 10_000;

interface PortItem extends QuickPickItem {
  readonly target?: PortTarget;
}

/** Asks which port to expose: one that this user's programs listen on, or one that is typed. Undefined when the user leaves. */
export async function pickPort(controller: Controller): Promise<PortTarget | undefined> {
  const picker = window.createQuickPick<PortItem>();
  picker.title = t("Expose a Port");
  picker.placeholder = t("Choose a port, or type one: 3000, host:3000, https://localhost:3000");
  picker.matchOnDescription = true;
  picker.busy = true;
  picker.show();
  const chosen = new Promise<PortTarget | undefined>((resolve) => {
    picker.onDidAccept(() => {
      // Who types faster than the list comes has chosen, too.
      const target = picker.selectedItems[0]?.target ?? readTyped(picker.value.trim());
      if (target) resolve(target);
    });
    picker.onDidHide(() => resolve(undefined));
  });
  let listening: readonly PortItem[] = [];
  const show = (): void => {
    const typed = readTyped(picker.value.trim());
    const isListed = listening.some(({ target }) => target && typed && localOf(target) === localOf(typed));
    picker.items =
      typed && !isListed
        ? [{ label: `$(plug) ${picker.value.trim()}`, alwaysShow: true, target: typed }, ...listening]
        : listening;
  };
  picker.onDidChangeValue(show);
  try {
    listening = await portItems(controller);
  } catch {
    // Without the system's list one can still type.
  }
  picker.busy = false;
  show();
  const target = await chosen;
  picker.dispose();
  return target;
}

function readTyped(text: string): PortTarget | undefined {
  return readAddress(/^\d+$/.test(text) ? `localhost:${text}` : text);
}

async function portItems({ state: { daemon } }: Controller): Promise<readonly PortItem[]> {
  const ports = await listListeningPorts(AbortSignal.timeout(listTimeoutMs));
  // The tunnels' own process listens, too, when it carries a trial relay; and our parent, when the editor is in a browser.
  const ours = [process.ppid, daemon.status === "running" ? daemon.pid : undefined];
  const items = ports
    .filter(({ pid }) => pid === undefined || !ours.includes(pid))
    .map(({ host: listening, port, process: program, pid }): PortItem => {
      const host = dialHost(listening);
      const target = { host, port, scheme: undefined, label: program };
      return {
        label: `$(plug) ${host === "localhost" ? port : localOf(target)}`,
        description: [program, pid === undefined ? undefined : t("process {0}", pid)].filter(Boolean).join(" · "),
        target,
      };
    });
  return items.length > 0 ? [{ label: t("Listening"), kind: QuickPickItemKind.Separator }, ...items] : items;
}

/**
 * The exposure that a command is about: the one of its argument, the only one, or the one that the user chooses. Undefined
 * when there is none or the user leaves.
 */
export async function chooseExposure(
  controller: Controller,
  argument: unknown,
  fits: (exposure: Exposure) => boolean = ({ phase }) => phase === "on",
): Promise<Exposure | undefined> {
  const id = exposureIdOf(argument);
  if (id !== undefined) return controller.find(id);
  const all = controller.state.exposures.filter((each) => fits(each));
  if (all.length <= 1) return all[0];
  const now = Date.now();
  const picked = await window.showQuickPick(
    all.map((exposure) => {
      const { kind, text } = describeExposure(exposure, controller.state.daemon, now);
      return { label: `${stateCodicon(kind)} ${nameOf(exposure)}`, description: urlOf(exposure) ?? text, exposure };
    }),
    { placeHolder: t("Choose a port") },
  );
  return picked?.exposure;
}
