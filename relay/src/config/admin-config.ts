import { PortholeError } from "@porthole/common/errors";
import type { OptionValues } from "@porthole/common/options";
import type { Secret } from "@porthole/common/util";
import type { relayOptions } from "./options.ts";

/** The admin port, for monitoring and operators. */
export interface AdminConfig {
  readonly address: string;
  readonly port: number;
  readonly names: readonly string[];
  readonly token: Secret | undefined;
}

/** Throws `usage` for a token that can be guessed, and for one without a port. */
export function adminConfig(values: OptionValues<typeof relayOptions>): AdminConfig | undefined {
  const { "admin-port": port, "admin-addr": address, "admin-host": names, "admin-token": token } = values;
  if (port === undefined && token !== undefined)
    throw new PortholeError("usage", "--admin-token-file is for the page of --admin-port", { hint: "Set both." });
  if (token !== undefined && token.reveal().length < 16)
    throw new PortholeError("usage", "The token of --admin-token-file has fewer than 16 characters", {
      hint: "Make one: openssl rand -hex 32",
    });
  return port === undefined ? undefined : { address, port, names: names.map((name) => name.toLowerCase()), token };
}
