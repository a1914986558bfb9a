import { join } from "node:path";
import { Inspector } from "@porthole/tunnel/inspector";
import { openAccess, type OpenAccess } from "@porthole/tunnel/access";
import { type GatewayOptions } from "@porthole/tunnel/gateway";
import { dataFolder, type Clock } from "@porthole/common/util";
import { accessSettings, type ClientValues } from "./config.ts";

/** Who lets visitors in and who watches them, for all endpoints of this client. */
export interface VisitorPolicy {
  readonly options: Pick<GatewayOptions, "access" | "observer">;
  readonly access: OpenAccess | undefined;
  readonly inspector: Inspector | undefined;
  close(): Promise<void>;
}

/** Whoever opens it closes it. Throws `usage` or `state`. */
export async function openVisitorPolicy(
  values: ClientValues,
  { clock }: { readonly clock: Clock },
): Promise<VisitorPolicy> {
  const stateDir = values["state-dir"] ?? dataFolder("porthole");
  const shareLinksPath = join(stateDir, "share-links.json");
  const access = await openAccess(accessSettings(values), { shareLinksPath, clock });
  const inspector = values.inspect ? new Inspector({ clock, redact: values.redact }) : undefined;
  return {
    options: { access: access?.policy, observer: inspector },
    access,
    inspector,
    async close() {
      access?.close();
      await inspector?.close();
    },
  };
}
