import { randomBytes } from "node:crypto";
import { env, window, type QuickPickItem } from "vscode";
import type { AccessSpec } from "@porthole/tunnel/rpc";
import { nameOf, type Exposure } from "../controller/index.ts";
import { t } from "../text.ts";
import { chooseExposure } from "./pickers.ts";
import type { UiContext } from "./context.ts";

type Choice = "everyone" | "share" | "password" | "webhook" | "limit" | "revoke";

const hourMs = 3_600_000;
/** Vendors whose signatures are known (docs/access.md). */
const webhooks = ["github", "stripe", "gitlab", "shopify", "slack"];

/** Who may visit a port. The rules are this editor's: no relay knows them, and no page stands in between. */
export function accessCommands({ controller }: UiContext) {
  async function share(exposure: Exposure): Promise<void> {
    const forMs = await chooseTime(t("How long should the link work?"), t("Until I revoke it"));
    if (forMs === "left") return;
    const access = await controller.keys.access(exposure.id);
    await controller.protect(exposure.id, { ...access, share: true });
    const url = await controller.ask.share(exposure.id, forMs);
    if (url === undefined) return;
    await env.clipboard.writeText(url);
    void window.showInformationMessage(
      t("Only who has the link may visit {0} now. It is on the clipboard, and can't be shown again.", nameOf(exposure)),
    );
  }

  async function revoke(exposure: Exposure): Promise<void> {
    const links = await controller.ask.shareLinks(exposure.id);
    const items = links.map((link): QuickPickItem & { id: string } => ({
      label: `$(link) ${link.label === "" ? link.id : link.label}`,
      description: link.endsAt === undefined ? "" : t("until {0}", new Date(link.endsAt).toLocaleString()),
      id: link.id,
    }));
    const picked = await window.showQuickPick(items, {
      placeHolder: t("Choose a link to revoke; its visitors are signed out at once"),
    });
    if (picked) await controller.ask.revoke(exposure.id, picked.id);
  }

  async function password(exposure: Exposure): Promise<void> {
    const value = await window.showInputBox({
      title: t("Password for {0}", nameOf(exposure)),
      prompt: t("user:password. Browsers ask for both."),
      value: `slot:${randomBytes(9).toString("base64url")}`,
      ignoreFocusOut: true,
      validateInput: (text) => (/^[^:]+:.+$/.test(text) ? undefined : t("Write user:password")),
    });
    if (value === undefined) return;
    await controller.protect(exposure.id, { ...(await limitsOf(exposure)), users: [value] });
    await env.clipboard.writeText(value);
    window.setStatusBarMessage(t("Copied user and password"), 5_000);
  }

  async function webhook(exposure: Exposure): Promise<void> {
    const scheme = await window.showQuickPick(webhooks, { placeHolder: t("Who signs the webhooks?") });
    if (scheme === undefined) return;
    const secret = await window.showInputBox({
      title: t("Signing secret of {0}", scheme),
      prompt: t("As it is written in the settings of the webhook. Requests without its signature are refused."),
      password: true,
      ignoreFocusOut: true,
    });
    if (secret === undefined || secret === "") return;
    await controller.protect(exposure.id, { ...(await limitsOf(exposure)), webhook: { scheme, secrets: [secret] } });
  }

  async function limit(exposure: Exposure): Promise<void> {
    const forMs = await chooseTime(t("For how long may anyone visit?"), t("without an end"));
    if (forMs === "left") return;
    const { endsAt: _before, ...access } = (await controller.keys.access(exposure.id)) ?? {};
    await controller.protect(exposure.id, forMs === undefined ? access : { ...access, endsAt: Date.now() + forMs });
  }

  /** What goes on when the credentials change. */
  async function limitsOf({ id }: Exposure): Promise<AccessSpec> {
    const { addresses, paths, endsAt } = (await controller.keys.access(id)) ?? {};
    return {
      ...(addresses ? { addresses } : {}),
      ...(paths ? { paths } : {}),
      ...(endsAt === undefined ? {} : { endsAt }),
    };
  }

  return {
    async "porthole.protect"(argument: unknown) {
      const exposure = await chooseExposure(controller, argument);
      if (!exposure) return;
      switch (await chooseKind(exposure, (await controller.keys.access(exposure.id)) ?? {})) {
        case "everyone":
          return controller.protect(exposure.id, undefined);
        case "share":
          return share(exposure);
        case "password":
          return password(exposure);
        case "webhook":
          return webhook(exposure);
        case "limit":
          return limit(exposure);
        case "revoke":
          return revoke(exposure);
        case undefined:
          return;
      }
    },
  };
}

async function chooseKind(exposure: Exposure, access: AccessSpec): Promise<Choice | undefined> {
  const item = (choice: Choice, icon: string, label: string, isNow: boolean): QuickPickItem & { choice: Choice } => ({
    label: `$(${icon}) ${label}`,
    ...(isNow ? { description: t("now") } : {}),
    choice,
  });
  const isOpen = !access.share && !access.users && !access.webhook && !access.bearerTokens;
  const picked = await window.showQuickPick(
    [
      item("everyone", "globe", t("Everyone with the URL"), isOpen && access.endsAt === undefined),
      item("share", "link", t("Whoever has a share link…"), access.share === true),
      item("password", "key", t("Whoever knows a password…"), access.users !== undefined),
      item("webhook", "verified", t("Only webhooks that are signed…"), access.webhook !== undefined),
      item("limit", "watch", t("Set an end…"), access.endsAt !== undefined),
      ...(access.share ? [item("revoke", "circle-slash", t("Revoke a share link…"), false)] : []),
    ],
    { title: t("Who may visit {0}?", nameOf(exposure)) },
  );
  return picked?.choice;
}

/** A time, `undefined` for none, or that the user has left. */
async function chooseTime(placeHolder: string, none: string): Promise<number | undefined | "left"> {
  const picked = await window.showQuickPick(
    [
      { label: t("1 hour"), ms: hourMs },
      { label: t("8 hours"), ms: 8 * hourMs },
      { label: t("7 days"), ms: 7 * 24 * hourMs },
      { label: none, ms: undefined },
    ],
    { placeHolder },
  );
  return picked ? picked.ms : "left";
}
