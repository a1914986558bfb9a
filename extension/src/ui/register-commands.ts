import { commands, window, type Disposable } from "vscode";
import { PortholeError } from "@porthole/common/errors";
import { errorText } from "../controller/index.ts";
import type { CommandId } from "../manifest/index.ts";
import { t } from "../text.ts";

export type CommandHandlers = Readonly<Record<CommandId, (argument?: unknown) => unknown>>;

/** Registers every command there is; one without a handler does not compile. What goes wrong is shown with what to do next. */
export function registerCommands(handlers: CommandHandlers): Disposable[] {
  return Object.entries(handlers).map(([id, handler]) =>
    commands.registerCommand(id, async (argument?: unknown) => {
      try {
        return await handler(argument);
      } catch (reason) {
        void showError(reason);
        return undefined;
      }
    }),
  );
}

/** Never rejects, so that a caller need not wait for the answer. */
export async function showError(reason: unknown): Promise<void> {
  const error = PortholeError.from(reason);
  const { code, isRefusal } = error;
  if (code === "aborted") return;
  const showLog = t("Show Log");
  const doctor = t("Diagnose Connection");
  const join = t("Join a Relay…");
  // The relay can't be reached, or refuses.
  const isOnTheWay = code === "unreachable" || code === "timeout" || isRefusal;
  const buttons = code === "unauthorized" ? [join, showLog] : isOnTheWay ? [doctor, showLog] : [showLog];
  const choice = await window.showErrorMessage(errorText(error), ...buttons);
  if (choice === showLog) await commands.executeCommand("porthole.showLog" satisfies CommandId);
  else if (choice === join) await commands.executeCommand("porthole.joinRelay" satisfies CommandId);
  else if (choice === doctor) await commands.executeCommand("porthole.doctor" satisfies CommandId);
}
