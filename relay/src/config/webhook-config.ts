import { PortholeError } from "@porthole/common/errors";
import type { Secret } from "@porthole/common/util";
import type { WebhookSettings } from "../admission/index.ts";

/** A webhook by the name of its option. Throws `usage` unless it has an http(s) URL without a password, and a secret of 16 characters or more. */
export function webhookSettings(
  option: "auth-webhook" | "events-webhook",
  url: string | undefined,
  secret: Secret | undefined,
): WebhookSettings | undefined {
  if (url === undefined && secret === undefined) return undefined;
  if (url === undefined || secret === undefined)
    throw new PortholeError("usage", `--${option} and --${option}-secret-file belong together`);
  const { protocol, username, password } = URL.canParse(url)
    ? new URL(url)
    : { protocol: "", username: "", password: "" };
  if (protocol !== "https:" && protocol !== "http:")
    throw new PortholeError("usage", `--${option}: ${JSON.stringify(url)} is not an http or https URL`);
  if (username !== "" || password !== "")
    throw new PortholeError("usage", `--${option} has a password in it, which every user of this machine could see`, {
      hint: `The signature by --${option}-secret-file says who asks.`,
    });
  if (secret.reveal().length < 16)
    throw new PortholeError("usage", `The secret of --${option}-secret-file has fewer than 16 characters`, {
      hint: "Make one: openssl rand -hex 32",
    });
  return { url, secret };
}
