import { env } from "vscode";
import { PortholeError } from "@porthole/common/errors";
import { systemClock } from "@porthole/common/util";
import type { AccessSpec } from "@porthole/tunnel/rpc";
import { urlReady, type Controller, type Exposure } from "../controller/index.ts";
import type { PortTarget } from "../ports/index.ts";
import { t } from "../text.ts";
import { announceLink } from "./access.ts";
import { agreeToProject } from "./project.ts";
import { showError } from "./register-commands.ts";
import { editorSettings } from "./vscode-host.ts";

/** A port that an assistant or another extension wants to be exposed. */
export interface ForeignRequest {
  readonly port: number;
  readonly label?: string | undefined;
  readonly access: "public" | "share";
}

/** Returns what the user is asked before the port is exposed, or undefined when it is exposed already. */
export async function questionFor(controller: Controller, request: ForeignRequest): Promise<string | undefined> {
  const target = targetOf(controller, request);
  if (controller.find(controller.idOf(target))?.phase === "on") return undefined;
  if (controller.relays.isTrial) return t("Expose port {0} on this machine?", request.port);
  const rules = await rulesFor(controller, request);
  return `${t("Expose port {0} to the internet?", request.port)} ${describeRules(rules)}`;
}

/**
 * Exposes the port for somebody else, once the user has agreed to `questionFor`. The user's own rules are never loosened. A share link goes
 * to the user's clipboard and to nobody else. Rejects with `usage` without a relay.
 */
export async function exposeForOthers(
  controller: Controller,
  request: ForeignRequest,
  signal?: AbortSignal,
): Promise<{ readonly exposure: Exposure; readonly url: string; readonly hasLink: boolean }> {
  const target = targetOf(controller, request);
  const id = controller.idOf(target);
  const { relays } = controller;
  const ready = { clock: systemClock, ...(signal ? { signal } : {}) };
  const known = (): Exposure => {
    const exposure = controller.find(id);
    if (!exposure) throw failed();
    return exposure;
  };
  if (controller.find(id)?.phase === "on") {
    const url = await urlReady(controller, id, ready);
    return { exposure: known(), url, hasLink: false };
  }
  relays.check();
  if (!relays.isTrial && relays.configured.length === 0)
    throw new PortholeError("usage", t("No relay is configured"), { hint: t("Join a relay, or add one.") });
  if (!(await agreeToProject(controller, target))) throw failed();
  const rules = relays.isTrial ? undefined : await rulesFor(controller, request);
  signal?.throwIfAborted();
  await controller.expose(target, rules);
  const url = await urlReady(controller, id, ready);
  const link = rules?.share ? await controller.ask.share(id, { label: t("first link") }) : undefined;
  if (link !== undefined) {
    await env.clipboard.writeText(link);
    void announceLink(known(), link).catch(showError);
  }
  return { exposure: known(), url, hasLink: link !== undefined };
}

function targetOf(controller: Controller, { port, label }: ForeignRequest): PortTarget {
  const target = { host: "localhost", port, scheme: undefined, label };
  return label === undefined ? (controller.find(controller.idOf(target))?.target ?? target) : target;
}

/** The user's rules, if they have credentials; otherwise what was asked for, unless the user or the project wants less. */
async function rulesFor(controller: Controller, request: ForeignRequest): Promise<AccessSpec> {
  const id = controller.idOf(targetOf(controller, request));
  const own = await controller.keys.access(id);
  if (own?.users ?? own?.bearerTokens ?? own?.webhook ?? own?.share) return own;
  const described = controller.project.adopted(id);
  const wantsLess = described?.["access-share"] === true || described?.["access-webhook"] !== undefined;
  const byDefault = editorSettings.get("porthole.defaultAccess");
  const isKept = own !== undefined;
  const isStrict = wantsLess || (!isKept && (byDefault === "shareLink" || byDefault === "password"));
  return request.access === "public" && !isStrict ? (own ?? {}) : { ...own, share: true };
}

function describeRules({ users, bearerTokens, share, webhook }: AccessSpec): string {
  if (share && !users && !bearerTokens && !webhook) return t("Only visitors with a share link can visit.");
  if (users ?? bearerTokens ?? webhook ?? share) return t("Only visitors whom your rules admit can visit.");
  return t("Anyone with the URL can visit.");
}

function failed(): PortholeError {
  return new PortholeError("aborted", "The user does not want this port to be exposed");
}
