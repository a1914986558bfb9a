import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as vscode from "vscode";
import type { PortholeApi, ReceivedRequest } from "../../../extension/src/api.ts";

/** Another extension, as somebody would write it: uses Porthole's API and calls its tools as an assistant does. */

interface Tools {
  readonly tools: readonly { readonly name: string }[];
  invokeTool(
    name: string,
    options: { readonly input: object; readonly toolInvocationToken: undefined },
  ): Thenable<{ readonly content: readonly { readonly value: string }[] }>;
}

/** What the test writes into the folder, and what the sample writes beside it. */
interface Order {
  readonly id: number;
  readonly call: "expose" | "urlOf" | "stop" | "received" | "version" | "changes" | "tools" | "tool";
  readonly args: readonly [never, never];
}

export function activate(context: vscode.ExtensionContext): void {
  const received: ReceivedRequest[] = [];
  let changes = 0;
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? "";
  let porthole: Promise<PortholeApi> | undefined;

  async function open(): Promise<PortholeApi> {
    const extension = vscode.extensions.getExtension<PortholeApi>("porthole.porthole");
    if (!extension) throw new Error("Porthole is not installed");
    const api = await extension.activate();
    context.subscriptions.push(
      api.onDidReceiveRequest((request) => received.push(request)),
      api.onDidChange(() => changes++),
    );
    return api;
  }

  async function run({ call, args: [first, second] }: Order): Promise<unknown> {
    const api = await (porthole ??= open());
    const lm = (vscode as unknown as { readonly lm: Tools }).lm;
    switch (call) {
      case "version":
        return api.version;
      case "expose":
        return api.expose(first, second);
      case "urlOf":
        return api.urlOf(first);
      case "stop":
        return api.stop(first);
      case "received":
        return received;
      case "changes":
        return changes;
      case "tools":
        return lm.tools.map(({ name }) => name);
      case "tool": {
        const options = { input: second, toolInvocationToken: undefined };
        return (await lm.invokeTool(first, options)).content.map(({ value }) => value).join("");
      }
    }
  }

  context.subscriptions.push(
    vscode.commands.registerCommand("sample.run", async () => {
      const order = JSON.parse(readFileSync(join(folder, "order.json"), "utf8")) as Order;
      const answer = await run(order).then(
        (value) => ({ value }),
        (reason: unknown) => ({ error: (reason as Error).message }),
      );
      writeFileSync(join(folder, `answer-${order.id}.json`), JSON.stringify(answer));
    }),
  );
}
