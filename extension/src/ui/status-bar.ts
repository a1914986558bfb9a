import { MarkdownString, StatusBarAlignment, ThemeColor, window, type Disposable } from "vscode";
import {
  describeAccess,
  describeCertificate,
  describeExposure,
  endpointOf,
  nameOf,
  urlsOf,
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
    const on = state.exposures.filter(({ phase }) => phase !== "off");
    if (on.length === 0) return item.hide();
    const now = Date.now();
    const described = on.map((exposure) => ({ exposure, ...describeExposure(exposure, state.daemon, now) }));
    const worst = described.toSorted((a, b) => urgency.indexOf(a.kind) - urgency.indexOf(b.kind))[0];
    if (!worst) return;
    // One bad port is named: it is the one to look at.
    const name = on.length === 1 || worst.kind === "bad" ? nameOf(worst.exposure) : t("{0} ports", on.length);
    const trial = state.isTrial ? ` (${t("trial")})` : "";
    const text = worst.kind === "good" ? `${name}${trial}` : `${name}: ${worst.text}`;
    item.backgroundColor = worst.kind === "bad" ? new ThemeColor("statusBarItem.warningBackground") : undefined;
    item.text = `${stateCodicon(worst.kind)} ${text}`;
    item.tooltip = tooltip(described, now, state.isTrial);
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

function tooltip(
  rows: readonly (Described & { readonly exposure: Exposure })[],
  now: number,
  isTrial: boolean,
): MarkdownString {
  const markdown = new MarkdownString("", true);
  for (const { exposure, text, next, detail } of rows) {
    const endpoint = endpointOf(exposure);
    const certificate = endpoint?.certificates[0];
    const online = endpoint?.relays.flatMap((relay) => (relay.now.status === "online" ? [relay] : [])) ?? [];
    const facts: (readonly [string, string | undefined])[] = [
      ["URL", urlsOf(exposure).join(" ")],
      [t("Port"), endpoint?.local],
      [t("State"), [text, next].filter(Boolean).join(", ")],
      [t("Why"), detail],
      [t("Access"), endpoint && describeAccess(endpoint.gateway.access, now)],
      [t("Trial mode"), isTrial ? t("this machine only") : undefined],
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
