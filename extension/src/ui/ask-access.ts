import { randomBytes } from "node:crypto";
import { window, type QuickPickItem } from "vscode";
import type { AccessSpec } from "@porthole/tunnel/rpc";
import { t } from "../text.ts";
import { editorSettings } from "./vscode-host.ts";

/** Vendors whose signatures are known (docs/access.md). */
const webhooks = ["github", "stripe", "gitlab", "shopify", "slack"];

/** Rules that let everyone in: a choice, unlike none at all. */
export const everyone: AccessSpec = {};

/** Asks for the user name and password that visitors sign in with. Undefined when the user leaves. */
export async function askPassword(name: string): Promise<AccessSpec | undefined> {
  const value = await window.showInputBox({
    title: t("Password for {0}", name),
    prompt: t("Visitors sign in with this user name and password."),
    value: newPassword(),
    ignoreFocusOut: true,
    validateInput: (text) => (/^[^:]+:.+$/.test(text) ? undefined : t("Write user:password")),
  });
  return value === undefined ? undefined : { users: [value] };
}

/** Asks which service signs its webhooks, and with what. Undefined when the user leaves. */
export async function askWebhook(): Promise<AccessSpec | undefined> {
  const scheme = await window.showQuickPick(webhooks, { placeHolder: t("Who signs the webhooks?") });
  return scheme === undefined ? undefined : askSecret(scheme);
}

/** Asks for the secret that the service signs its webhooks with. Undefined when the user leaves. */
export async function askSecret(scheme: string): Promise<AccessSpec | undefined> {
  const secret = await window.showInputBox({
    title: t("Signing secret of {0}", scheme),
    prompt: t("As it is written in the settings of the webhook. Requests without its signature are refused."),
    password: true,
    ignoreFocusOut: true,
  });
  return secret === undefined || secret === "" ? undefined : { webhook: { scheme, secrets: [secret] } };
}

/** The rules of a port that is exposed for the first time: what the setting says, or what the user chooses. Undefined when they leave. */
export async function firstAccess(name: string): Promise<AccessSpec | undefined> {
  switch (editorSettings.get("porthole.defaultAccess")) {
    case "public":
      return everyone;
    case "shareLink":
      return { share: true };
    case "password":
      return { users: [newPassword()] };
    case "ask":
      return askAccess(name);
  }
}

async function askAccess(name: string): Promise<AccessSpec | undefined> {
  const item = (
    icon: string,
    label: string,
    detail: string,
    choose: () => Promise<AccessSpec | undefined>,
  ): QuickPickItem & { choose: () => Promise<AccessSpec | undefined> } => ({
    ...{ label: `$(${icon}) ${label}`, detail, choose },
  });
  const picked = await window.showQuickPick(
    [
      item(
        "globe",
        t("Everyone with the URL"),
        t("The URL can be guessed by nobody, but it can be passed on."),
        async () => everyone,
      ),
      item("link", t("Share link…"), t("Only visitors with a link that you can revoke."), async () => ({
        share: true,
      })),
      item("key", t("Password…"), t("Visitors sign in with a user name and password."), () => askPassword(name)),
      item(
        "verified",
        t("Signed webhooks only…"),
        t("Only requests that GitHub, Stripe or another service has signed."),
        askWebhook,
      ),
    ],
    { title: t("Who may visit {0}?", name), placeHolder: t("You can change it at any time"), ignoreFocusOut: true },
  );
  return picked?.choose();
}

function newPassword(): string {
  return `guest:${randomBytes(9).toString("base64url")}`;
}
