import { env, window, type QuickPickItem } from "vscode";
import type { AccessSpec } from "@porthole/tunnel/rpc";
import { nameOf, type Exposure } from "../controller/index.ts";
import { t } from "../text.ts";
import { askPassword, askWebhook } from "./ask-access.ts";
import { chooseExposure } from "./pickers.ts";
import { showQrCode } from "./qr-code.ts";
import { showError } from "./register-commands.ts";
import type { UiContext } from "./context.ts";

type Choice = "everyone" | "share" | "password" | "webhook" | "limit" | "revoke";

const hourMs = 3_600_000;

/** Commands for the access rules of a port. The rules are this editor's, and no relay knows them. */
export function accessCommands({ controller }: UiContext) {
  /** The new credentials take the place of the present ones; links of before don't come back with a later choice. */
  async function setCredentials(exposure: Exposure, credentials: AccessSpec | undefined): Promise<void> {
    const { addresses, paths, endsAt, share: hasLinks } = (await controller.keys.access(exposure.id)) ?? {};
    if (hasLinks && !credentials?.share)
      for (const { id } of await controller.ask.shareLinks(exposure.id)) await controller.ask.revoke(exposure.id, id);
    const limits: AccessSpec = {
      ...(addresses ? { addresses } : {}),
      ...(paths ? { paths } : {}),
      ...(endsAt === undefined ? {} : { endsAt }),
    };
    await controller.protect(exposure.id, { ...limits, ...credentials });
  }

  async function share(exposure: Exposure): Promise<void> {
    const forMs = await chooseTime(t("How long should the link work?"), t("Until I revoke it"));
    if (forMs === "left") return;
    const label = await window.showInputBox({
      title: t("Share link for {0}", nameOf(exposure)),
      prompt: t("A name to find it by when you revoke it. It may stay empty."),
      ignoreFocusOut: true,
    });
    if (label === undefined) return;
    await setCredentials(exposure, { share: true });
    const url = await controller.ask.share(exposure.id, { label, ...(forMs === undefined ? {} : { forMs }) });
    if (url === undefined) return;
    await env.clipboard.writeText(url);
    void announceLink(exposure, url).catch(showError);
  }

  async function revoke(exposure: Exposure): Promise<void> {
    const links = await controller.ask.shareLinks(exposure.id);
    const items = links.map((link): QuickPickItem & { id: string } => ({
      label: `$(link) ${link.label === "" ? link.id : link.label}`,
      description: [
        t("created {0}", new Date(link.createdAt).toLocaleString()),
        link.endsAt === undefined ? t("never expires") : t("expires {0}", new Date(link.endsAt).toLocaleString()),
      ].join(", "),
      id: link.id,
    }));
    const placeHolder = t("Choose a link to revoke; its visitors are signed out at once");
    const picked = await window.showQuickPick(items, { placeHolder });
    if (!picked) return;
    await controller.ask.revoke(exposure.id, picked.id);
    void window.showInformationMessage(t("The share link is revoked. Its visitors are signed out."));
  }

  async function password(exposure: Exposure): Promise<void> {
    const access = await askPassword(nameOf(exposure));
    const [value] = access?.users ?? [];
    if (value === undefined) return;
    await setCredentials(exposure, { users: [value] });
    await env.clipboard.writeText(value);
    const user = value.slice(0, value.indexOf(":"));
    void window.showInformationMessage(t("Copied {0}:… to the clipboard. Password required from now on.", user));
  }

  async function webhook(exposure: Exposure): Promise<void> {
    const access = await askWebhook();
    if (!access) return;
    await setCredentials(exposure, access);
    window.setStatusBarMessage(t("Only signed webhooks may visit {0} now", nameOf(exposure)), 5_000);
  }

  async function everyone(exposure: Exposure): Promise<void> {
    const endsAt = (await controller.keys.access(exposure.id))?.endsAt;
    await setCredentials(exposure, undefined);
    // An end that the user has set does not outlive the choice of everyone.
    if (endsAt !== undefined) await withoutEnd(exposure);
    window.setStatusBarMessage(t("Anyone with the URL may visit {0} now", nameOf(exposure)), 5_000);
  }

  async function withoutEnd({ id }: Exposure): Promise<void> {
    const { endsAt: _before, ...access } = (await controller.keys.access(id)) ?? {};
    await controller.protect(id, access);
  }

  async function limit(exposure: Exposure): Promise<void> {
    const forMs = await chooseTime(t("When should access end?"), t("Never"));
    if (forMs === "left") return;
    if (forMs === undefined) return withoutEnd(exposure);
    const access = (await controller.keys.access(exposure.id)) ?? {};
    await controller.protect(exposure.id, { ...access, endsAt: Date.now() + forMs });
  }

  const actions: Readonly<Record<Choice, (exposure: Exposure) => Promise<void>>> = {
    ...{ everyone, share, password, webhook, limit, revoke },
  };
  return {
    async "porthole.protect"(argument: unknown) {
      const fits = ({ phase }: Exposure): boolean => phase !== "off";
      const exposure = await chooseExposure(controller, argument, fits);
      if (!exposure) return;
      const choice = await chooseKind(exposure, (await controller.keys.access(exposure.id)) ?? {});
      if (choice === undefined) return;
      // Rules hold where the port is served: it comes to this window first.
      if (exposure.phase === "elsewhere") await controller.expose(exposure.target);
      await actions[choice](exposure);
    },
  };
}

/** It can't be shown again, so the message stays until it is closed. */
export async function announceLink(exposure: Exposure, url: string): Promise<void> {
  const again = t("Copy Again");
  const qr = t("QR Code");
  for (;;) {
    const message = t("Share link copied. Save it now; it cannot be shown again.");
    const choice = await window.showInformationMessage(message, again, qr);
    if (choice === again) await env.clipboard.writeText(url);
    else if (choice === qr) showQrCode(t("QR Code: {0}", nameOf(exposure)), url);
    else return;
  }
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
      item("share", "link", access.share ? t("Another share link…") : t("Share link…"), access.share === true),
      item("password", "key", t("Password…"), access.users !== undefined),
      item("webhook", "verified", t("Signed webhooks only…"), access.webhook !== undefined),
      item("limit", "watch", t("Expires after…"), access.endsAt !== undefined),
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
