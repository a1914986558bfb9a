import * as vscode from "vscode";
import { PortholeError } from "@porthole/common/errors";
import { systemClock } from "@porthole/common/util";
import {
  assistantTools,
  type AssistantHost,
  type AssistantTool,
  type AssistantTunnel,
} from "@porthole/tunnel/assistant";
import {
  describeAccess,
  describeExposure,
  endpointOf,
  errorText,
  urlsOf,
  type Controller,
  type Exposure,
} from "../controller/index.ts";
import { localOf } from "../ports/index.ts";
import { t } from "../text.ts";
import { exposeForOthers, questionFor, type ForeignRequest } from "./expose-for-others.ts";

/** The part of the editor's API that came with 1.95; older editors have no tools. */
interface ToolsApi {
  readonly lm?: {
    registerTool?(
      name: string,
      tool: {
        prepareInvocation(options: { readonly input: unknown }): Promise<object>;
        invoke(options: { readonly input: unknown }, token: vscode.CancellationToken): Promise<unknown>;
      },
    ): vscode.Disposable;
  };
  readonly LanguageModelToolResult?: new (parts: readonly unknown[]) => unknown;
  readonly LanguageModelTextPart?: new (text: string) => unknown;
}

/** Gives the tools to the editor's assistants. Does nothing in an editor that has none. */
export function assistantToolsOf(controller: Controller): vscode.Disposable {
  const { lm, LanguageModelToolResult, LanguageModelTextPart } = vscode as unknown as ToolsApi;
  if (!lm?.registerTool || !LanguageModelToolResult || !LanguageModelTextPart) return new vscode.Disposable(() => {});
  const host = editorHost(controller);
  const register = lm.registerTool.bind(lm);
  return vscode.Disposable.from(
    ...assistantTools.map((tool) =>
      register(tool.name, {
        async prepareInvocation({ input }) {
          const message = await questionOf(controller, tool, input);
          return message === undefined ? {} : { confirmationMessages: { title: "Porthole", message } };
        },
        async invoke({ input }, token) {
          const abort = new AbortController();
          const stop = token.onCancellationRequested(() =>
            abort.abort(new PortholeError("aborted", `${tool.name} was cancelled`)),
          );
          try {
            const text = await tool.run(input, { host, clock: systemClock, signal: abort.signal });
            return new LanguageModelToolResult([new LanguageModelTextPart(text)]);
          } catch (reason) {
            throw new Error(errorText(PortholeError.from(reason)), { cause: reason });
          } finally {
            stop.dispose();
          }
        },
      }),
    ),
  );
}

/** The rules that will hold are in the question: those of the user may be stricter than what the assistant asks for. */
export async function questionOf(
  controller: Controller,
  tool: AssistantTool,
  input: unknown,
): Promise<string | undefined> {
  const asked = tool.question(input);
  if (tool.name === "porthole_replay") return t("Send the recorded request to your local service again?");
  if (asked === undefined || tool.name !== "porthole_expose") return asked;
  const { port, access } = input as ForeignRequest;
  return questionFor(controller, { port, access: access === "public" ? "public" : "share" });
}

/** The window's tunnels, for assistants. */
export function editorHost(controller: Controller): AssistantHost {
  const view = (exposure: Exposure): AssistantTunnel => {
    const { id, target } = exposure;
    const now = Date.now();
    const { text, detail } = describeExposure(exposure, controller.state.daemon, now);
    return {
      ...{ id, local: localOf(target), urls: urlsOf(exposure) },
      ...(target.label === undefined ? {} : { label: target.label }),
      state: detail === undefined ? text : `${text}: ${detail}`,
      access: describeAccess(endpointOf(exposure)?.gateway.access, now),
    };
  };
  return {
    tunnels: async () => controller.state.exposures.filter(({ phase }) => phase !== "off").map(view),
    async expose(request, signal) {
      const { exposure, hasLink } = await exposeForOthers(controller, request, signal);
      const note = hasLink ? "The user has got a share link on the clipboard. Visitors need it." : undefined;
      return { tunnel: view(exposure), ...(note === undefined ? {} : { note }) };
    },
    stop: (id) => controller.stop(id),
    connection: async () => (controller.state.daemon.status === "running" ? controller.daemon() : undefined),
  };
}
