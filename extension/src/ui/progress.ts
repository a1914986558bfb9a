import { ProgressLocation, window } from "vscode";

/** A longer wait that the user can see and end. Undefined when he does. */
export async function cancellable<T>(title: string, work: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
  return window.withProgress(
    { location: ProgressLocation.Notification, title, cancellable: true },
    async (_, token) => {
      const controller = new AbortController();
      const listener = token.onCancellationRequested(() => controller.abort());
      try {
        return await work(controller.signal);
      } catch (reason) {
        if (controller.signal.aborted) return undefined;
        throw reason;
      } finally {
        listener.dispose();
      }
    },
  );
}
