import {
  commands,
  env,
  EventEmitter,
  extensions,
  Uri,
  window,
  workspace,
  type Disposable,
  type LogOutputChannel,
  type TextDocumentContentProvider,
} from "vscode";
import type { DoctorCheck, DoctorReport } from "@porthole/tunnel/rpc";
import { describeCheck, nameOf, type DescribedCheck, type Exposure } from "../controller/index.ts";
import { diagnosticsOf } from "../controller/diagnostics.ts";
import { t } from "../text.ts";
import { plain } from "./markdown.ts";
import { chooseExposure } from "./pickers.ts";
import { cancellable } from "./progress.ts";
import type { UiContext } from "./context.ts";

/** Commands for when something does not work. */
export function helpCommands({ controller }: UiContext, log: LogOutputChannel, reports: Reports) {
  return {
    async "porthole.doctor"(argument: unknown) {
      const exposure = await chooseExposure(controller, argument);
      if (!exposure) {
        void window.showInformationMessage(
          t("Expose a port first. Then this checks every step between it and a visitor."),
        );
        return;
      }
      const title = t("Diagnosing the connection of {0}", nameOf(exposure));
      const report = await cancellable(title, (signal) => controller.ask.doctor(exposure.id, signal));
      if (report) await showReport(reports, exposure, report);
    },
    "porthole.showLog": () => log.show(),
    async "porthole.copyDiagnostics"() {
      const { version } = (extensions.getExtension("porthole.porthole")?.packageJSON ?? {}) as { version?: string };
      const editor = {
        app: env.appName,
        version: version ?? "",
        // In a browser it is the server's address.
        remote: /^[a-z-]*$/.exec(env.remoteName ?? "")?.[0] ?? "other",
        platform: `${process.platform}-${process.arch}`,
      };
      await env.clipboard.writeText(diagnosticsOf(controller.state, editor));
      window.setStatusBarMessage(t("Copied diagnostics; keys, tokens and names are left out"), 5_000);
    },
    "porthole.openSettings": () => commands.executeCommand("workbench.action.openSettings", "@ext:porthole.porthole"),
    "porthole.openWalkthrough": () =>
      commands.executeCommand("workbench.action.openWalkthrough", "porthole.porthole#porthole.start", false),
  };
}

const reportUri = Uri.from({ scheme: "porthole-report", path: "Porthole.md" });

/** The last report, as a document that nobody has to save. */
export class Reports implements TextDocumentContentProvider, Disposable {
  readonly #changed = new EventEmitter<Uri>();
  readonly #registration = workspace.registerTextDocumentContentProvider(reportUri.scheme, this);
  readonly onDidChange = this.#changed.event;
  /** A preview outlives a reload; what it showed does not. */
  #content = t("This report is gone. Run Diagnose Connection again.");

  show(content: string): void {
    this.#content = content;
    this.#changed.fire(reportUri);
  }

  provideTextDocumentContent(): string {
    return this.#content;
  }

  dispose(): void {
    this.#registration.dispose();
    this.#changed.dispose();
  }
}

async function showReport(reports: Reports, exposure: Exposure, { checks }: DoctorReport): Promise<void> {
  const failed = checks.find(({ status }) => status === "failed");
  const details = t("Show Details");
  const message = failed
    ? sentences(describeCheck(failed))
    : t("The connection between {0} and a visitor works.", nameOf(exposure));
  const choice = await (failed
    ? window.showWarningMessage(message, details)
    : window.showInformationMessage(message, details));
  if (choice !== details) return;
  reports.show(describeReport(nameOf(exposure), checks));
  // The editor's own preview, where it is not switched off.
  await commands.executeCommand("markdown.showPreview", reportUri).then(undefined, async () => {
    await window.showTextDocument(reportUri, { preview: true });
  });
}

const marks: Readonly<Record<DoctorCheck["status"], string>> = { ok: "✓", warning: "!", failed: "✗", skipped: "–" };

function sentences({ finding, fix }: DescribedCheck): string {
  return [`${finding.replace(/\.$/, "")}.`, fix].filter(Boolean).join(" ");
}

/** A line for each check. */
function describeReport(name: string, checks: readonly DoctorCheck[]): string {
  const hasSeveral = new Set(checks.flatMap(({ relay }) => relay ?? [])).size > 1;
  const lines = checks.flatMap((check) => {
    const { name: step, finding, fix } = describeCheck(check);
    const hop = hasSeveral && check.relay !== undefined ? `${step} (${check.relay})` : step;
    return [
      `${marks[check.status]} **${plain(hop)}**: ${plain(finding)}`,
      ...(fix === undefined ? [] : [`→ ${plain(fix)}`]),
    ];
  });
  return [`# ${plain(name)}`, "", lines.join("\\\n"), ""].join("\n");
}
