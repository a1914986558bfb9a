import { PortholeError } from "@porthole/common/errors";
import { shareUrl, type ShareLink, type ShareLinks } from "@porthole/tunnel/access";
import { type InspectorApi } from "@porthole/tunnel/inspector";
import type { TunnelState } from "@porthole/tunnel/tunnel";
import type { ControlHandler } from "@porthole/common/control";
import type { VisitorPolicy } from "./visitor-policy.ts";
import { urlsOf } from "./text.ts";

/** What `share/create` answers. */
export interface CreatedShareLink {
  readonly link: ShareLink;
  /** The link itself, for each public URL that there is now. */
  readonly urls: readonly string[];
}

type Query<M extends keyof InspectorApi> = Parameters<InspectorApi[M]>[0];

/** What `porthole share` and `porthole inspect` ask a running client. Parameters come from the same version's own commands. */
export function visitorPolicyCommands(
  { access, inspector }: VisitorPolicy,
  state: () => TunnelState,
): Record<string, ControlHandler> {
  return { ...shareCommands(access?.shareLinks, state), ...inspectCommands(inspector) };
}

function shareCommands(links: ShareLinks | undefined, state: () => TunnelState): Record<string, ControlHandler> {
  function shareLinks(): ShareLinks {
    if (links) return links;
    throw new PortholeError("usage", "The running client does not let anybody in by share links", {
      hint: "Start it with --access-share: then only who has such a link, or another way in that you allow, is let in.",
    });
  }
  return {
    async "share/create"(params): Promise<CreatedShareLink> {
      const { label, forMs } = params as { readonly label?: string; readonly forMs?: number };
      const { link, token } = await shareLinks().create({ label: label ?? "", forMs });
      const urls = state().endpoints.flatMap((endpoint) => urlsOf(endpoint));
      return { link, urls: urls.map((url) => shareUrl(url, token)) };
    },
    "share/list": () => shareLinks().list(),
    async "share/revoke"(params): Promise<readonly string[]> {
      const { ids } = params as { readonly ids: readonly string[] | "all" };
      const found =
        ids === "all"
          ? shareLinks()
              .list()
              .map(({ id }) => id)
          : ids;
      const unknown = found.find(
        (id) =>
          !shareLinks()
            .list()
            .some((link) => link.id === id),
      );
      if (unknown !== undefined)
        throw new PortholeError("usage", `There is no share link ${JSON.stringify(unknown)}`, {
          hint: "porthole share list shows those that there are.",
        });
      for (const id of found) await shareLinks().revoke(id);
      return found;
    },
  };
}

function inspectCommands(inspector: InspectorApi | undefined): Record<string, ControlHandler> {
  function recorded(): InspectorApi {
    if (inspector) return inspector;
    throw new PortholeError("usage", "The running client keeps no requests", {
      hint: "Start it without --no-inspect.",
    });
  }
  return {
    "inspect/list": (params) => recorded().list(params as Query<"list">),
    "inspect/detail": (params) => recorded().detail(params as Query<"detail">),
    "inspect/body": (params) => recorded().body(params as Query<"body">),
    "inspect/messages": (params) => recorded().messages(params as Query<"messages">),
    "inspect/replay": (params) => recorded().replay(params as Query<"replay">),
    "inspect/export": (params) => recorded().export(params as Query<"export">),
    "inspect/record": (params) => recorded().setRecording((params as { readonly recording: boolean }).recording),
    "inspect/clear"() {
      recorded().clear();
      return {};
    },
    /** Changes, each a line, until whoever follows leaves. */
    "inspect/follow"(_params, { send, signal }) {
      const end = recorded().subscribe(send);
      return new Promise((resolve) => {
        signal.addEventListener("abort", () => {
          end();
          resolve(undefined);
        });
      });
    },
  };
}
