import { PortholeError } from "@porthole/common/errors";
import { defineOptions, durationMs, flag, helpText, path, readOptions, text } from "@porthole/common/options";
import { tunnelOption, withRunningTunnel, type TunnelClient } from "./running-client.ts";
import { formatMinute, visibleJson } from "@porthole/common/util";
import { printable } from "./printable.ts";

export const shareOptions = defineOptions({
  for: { help: "How long the link lets in", parse: durationMs, defaultHelp: "until it is revoked" },
  label: { help: "Whom it is for", parse: text },
  tunnel: tunnelOption,
  "state-dir": { help: "State folder of the client", parse: path, defaultHelp: "the platform's data folder" },
  json: { help: "The answer as JSON", parse: flag },
});

/** The answer to `porthole share --help`. */
export function shareHelp(columns: number | undefined): string {
  return helpText(shareOptions, {
    example: "porthole share --for 2h",
    summary: "A link that lets in everyone who has it, while the client runs with --access-share.",
    commands: { list: "The links that there are", "revoke ID... | all": "Revoke them: who came in by them is out" },
    ...(columns && { columns }),
  });
}

/** `porthole share`, `share list`, `share revoke ID...|all`: what to print. */
export async function share(argv: readonly string[]): Promise<string> {
  const [action, ...rest] = argv;
  if (action === "list") return list(rest);
  if (action === "revoke") return revoke(rest);
  const { values } = readOptions(shareOptions, argv, process.env);
  const created = await withSharing(values, (client) =>
    client.call("access/share", {
      tunnel: client.tunnel,
      ...(values.label !== undefined && { label: values.label }),
      ...(values.for !== undefined && { forMs: values.for }),
    }),
  );
  if (values.json) return `${visibleJson(created)}\n`;
  const { link, urls } = created;
  const until = link.endsAt === undefined ? "until it is revoked" : `until ${formatMinute(link.endsAt)}`;
  const where =
    urls.length > 0 ? urls.join("\n") : "The client has no public URL at present; ask again when it is online.";
  return `${where}\nEveryone with this link is let in ${until}. porthole share revoke ${link.id} ends it.\n`;
}

async function list(argv: readonly string[]): Promise<string> {
  const { values } = readOptions(shareOptions, argv, process.env);
  const { links } = await withSharing(values, (client) => client.call("access/links", { tunnel: client.tunnel }));
  if (values.json) return `${visibleJson(links)}\n`;
  if (links.length === 0) return "There are no share links.\n";
  return links
    .map(({ id, label, createdAt, endsAt }) => {
      const until = endsAt === undefined ? "no end" : `until ${formatMinute(endsAt)}`;
      return `${id}  made ${formatMinute(createdAt)}, ${until}${label === "" ? "" : `  ${printable(label)}`}\n`;
    })
    .join("");
}

async function revoke(argv: readonly string[]): Promise<string> {
  const { values, positionals } = readOptions(shareOptions, argv, process.env, { maxPositionals: 100 });
  if (positionals.length === 0)
    throw new PortholeError("usage", "porthole share revoke needs the id of a link, or all", {
      hint: "porthole share list shows them.",
    });
  const revoked = await withSharing(values, async (client) => {
    const { links } = await client.call("access/links", { tunnel: client.tunnel });
    const ids = positionals.includes("all") ? links.map(({ id }) => id) : positionals;
    const unknown = ids.find((id) => !links.some((link) => link.id === id));
    if (unknown !== undefined)
      throw new PortholeError("usage", `There is no share link ${JSON.stringify(unknown)}`, {
        hint: "porthole share list shows those that there are.",
      });
    for (const link of ids) await client.call("access/revoke", { tunnel: client.tunnel, link });
    return ids;
  });
  if (values.json) return `${visibleJson(revoked)}\n`;
  return `${revoked.length === 1 ? "1 link" : `${revoked.length} links`} revoked. Visitors that came in by them are out.\n`;
}

/** Like `withRunningClient`, for a client whose access rules have share links. */
function withSharing<T>(
  values: Parameters<typeof withRunningTunnel>[0],
  use: (client: TunnelClient) => Promise<T>,
): Promise<T> {
  return withRunningTunnel(values, async (client) => {
    const { tunnels } = await client.call("tunnel/list", {});
    const endpoint = tunnels.find(({ id }) => id === client.tunnel)?.state.endpoints[0];
    if (!endpoint?.gateway.access?.credentials.includes("share"))
      throw new PortholeError("usage", "The running client does not let anybody in by share links", {
        hint: "Start it with --access-share: then only who has such a link, or another way in that you allow, is let in.",
      });
    return use(client);
  });
}
