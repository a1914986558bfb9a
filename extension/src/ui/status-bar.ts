import { MarkdownString, StatusBarAlignment, window, type Disposable } from "vscode";
import {
  describeCertificate,
  describeExposure,
  endpointOf,
  nameOf,
  urlOf,
  type Controller,
  type ControllerState,
  type Described,
  type Exposure,
} from "../controller/index.ts";
import type { CommandId } from "../manifest/index.ts";
import { t } from "../text.ts";
import { stateCodicon } from "./icons.ts";
import { plain } from "./markdown.ts";

/** Worst first: what the item shows when several ports are exposed. */
const urgency: readonly Described["kind"][] = ["bad", "degraded", "busy", "good", "off"];

/** One item, there only while something is exposed or wanted. */
export function statusBar(controller: Controller): Disposable {
  const item = window.createStatusBarItem("porthole.status", StatusBarAlignment.Left, 1);
  item.name = "Porthole";
  item.command = "porthole.showActions" satisfies CommandId;
  const paint = (state: ControllerState): void => {
    const on = state.exposures.filter(({ phase }) => phase === "on");
    if (on.length === 0) return item.hide();
    const now = Date.now();
    const described = on.map((exposure) => ({ exposure, ...describeExposure(exposure, state.daemon, now) }));
    const worst = described.toSorted((a, b) => urgency.indexOf(a.kind) - urgency.indexOf(b.kind))[0];
    if (!worst) return;
    const name = on.length === 1 ? nameOf(worst.exposure) : t("{0} ports", on.length);
    const text = worst.kind === "good" ? name : `${name}: ${worst.text}`;
    item.text = `${stateCodicon(worst.kind)} ${text}`;
    item.tooltip = tooltip(described, now);
    item.accessibilityInformation = {
      label: t("Porthole: {0}", described.map((each) => `${nameOf(each.exposure)}, ${each.text}`).join("; ")),
      role: "button",
    };
    item.show();
  };
  const off = controller.onChange(paint);
  return {
    dispose() {
      off();
      item.dispose();
    },
  };
}

function tooltip(rows: readonly (Described & { readonly exposure: Exposure })[], now: number): MarkdownString {
  const markdown = new MarkdownString("", true);
  for (const { exposure, text, detail } of rows) {
    const endpoint = endpointOf(exposure);
    const certificate = endpoint?.certificates[0];
    const online = endpoint?.relays.flatMap((relay) => (relay.now.status === "online" ? [relay] : [])) ?? [];
    const facts: (readonly [string, string | undefined])[] = [
      ["URL", urlOf(exposure)],
      [t("Port"), endpoint?.local],
      [t("State"), text],
      [t("Why"), detail],
      [t("Relay"), online.map(({ address }) => address).join(", ")],
      [t("Certificate"), certificate && describeCertificate(certificate, now).text],
      [
        t("Last visitor"),
        exposure.lastVisitAt === undefined ? undefined : new Date(exposure.lastVisitAt).toLocaleTimeString(),
      ],
    ];
    markdown.appendMarkdown("|  |  |\n| --- | --- |\n");
    for (const [label, value] of facts) if (value) markdown.appendMarkdown(`| ${label} | ${plain(value)} |\n`);
    markdown.appendMarkdown("\n");
  }
  return markdown;
}
