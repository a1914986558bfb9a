import { PortholeError } from "@porthole/common/errors";
import { shareUrl } from "../../access/index.ts";
import type { Handlers } from "../server.ts";
import type { Tunnels } from "./tunnels.ts";

/** A caller takes messages up to 64 MiB, and characters may be longer than a byte. */
const maxExportLength = 16 * 1024 * 1024;

type InspectHandlers = Pick<Handlers, Extract<keyof Handlers, `inspect/${string}`>>;
type AccessHandlers = Pick<Handlers, Extract<keyof Handlers, `access/${string}`>>;

export function inspectHandlers(tunnels: Tunnels): InspectHandlers {
  const inspectorOf = ({ tunnel }: { readonly tunnel: string }) => tunnels.policy(tunnel).inspector;
  return {
    "inspect/list": (query) => inspectorOf(query).list(query),
    "inspect/get": (query) => inspectorOf(query).detail(query),
    "inspect/body": (query) => inspectorOf(query).body(query),
    "inspect/messages": (query) => inspectorOf(query).messages(query),
    "inspect/replay": (query) => inspectorOf(query).replay(query),
    async "inspect/export"(query) {
      const result = await inspectorOf(query).export(query);
      if (result.text.length <= maxExportLength) return result;
      throw new PortholeError("limit", `The export would have ${result.text.length} characters`, {
        hint: "Choose fewer requests.",
      });
    },
    "inspect/clear": (query) => {
      inspectorOf(query).clear();
      return {};
    },
    "inspect/record": (query) => inspectorOf(query).setRecording(query.recording),
  };
}

export function accessHandlers(tunnels: Tunnels): AccessHandlers {
  return {
    async "access/share"({ tunnel, label, forMs }) {
      const { link, token } = await tunnels.policy(tunnel).shareLinks.create({ label: label ?? "", forMs });
      return { link, urls: tunnels.urls(tunnel).map((url) => shareUrl(url, token)) };
    },
    "access/links": ({ tunnel }) => ({ links: tunnels.policy(tunnel).shareLinks.list() }),
    async "access/revoke"({ tunnel, link }) {
      if (await tunnels.policy(tunnel).shareLinks.revoke(link)) return {};
      throw new PortholeError("usage", `There is no share link ${JSON.stringify(link)}`, {
        hint: "access/links says which there are; it may have ended by itself.",
      });
    },
  };
}
