import { PortholeError } from "@porthole/common/errors";
import type { ShareLink } from "@porthole/tunnel/access";
import { defineOptions, durationMs, flag, helpText, path, readOptions, text } from "@porthole/common/options";
import { runningClient } from "./running-client.ts";
import type { CreatedShareLink } from "./control-commands.ts";
import { formatMinute, visibleJson } from "@porthole/common/util";
import { printable } from "./printable.ts";

const options = defineOptions({
  for: { help: "How long the link lets in", parse: durationMs, defaultHelp: "until it is withdrawn" },
  label: { help: "Whom it is for", parse: text },
  "state-dir": { help: "State folder of the client", parse: path, defaultHelp: "the platform's data folder" },
  json: { help: "The answer as JSON", parse: flag },
});

/** The answer to `porthole share --help`. */
export function shareHelp(columns: number | undefined): string {
  return helpText(options, {
    example: "porthole share --for 2h",
    summary: "A link that lets in whoever has it, while the client runs with --access-share.",
    commands: { list: "The links that there are", "revoke ID... | all": "Withdraw them: who came in by them is out" },
    ...(columns && { columns }),
  });
}

/** `porthole share`, `share list`, `share revoke ID...|all`: what to print. */
export async function share(argv: readonly string[]): Promise<string> {
  const [action, ...rest] = argv;
  if (action === "list") return list(rest);
  if (action === "revoke") return revoke(rest);
  const { values } = readOptions(options, argv, process.env);
  const client = runningClient(values["state-dir"]);
  const created = await client.ask<CreatedShareLink>("share/create", { label: values.label, forMs: values.for });
  if (values.json) return `${visibleJson(created)}\n`;
  const { link, urls } = created;
  const until = link.endsAt === undefined ? "until it is withdrawn" : `until ${formatMinute(link.endsAt)}`;
  const where =
    urls.length > 0 ? urls.join("\n") : "The client has no public URL at present; ask again when it is online.";
  return `${where}\nWhoever has this link is let in ${until}. porthole share revoke ${link.id} withdraws it.\n`;
}

async function list(argv: readonly string[]): Promise<string> {
  const { values } = readOptions(options, argv, process.env);
  const links = await runningClient(values["state-dir"]).ask<readonly ShareLink[]>("share/list");
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
  const { values, positionals } = readOptions(options, argv, process.env, { maxPositionals: 100 });
  if (positionals.length === 0)
    throw new PortholeError("usage", "porthole share revoke needs the id of a link, or all", {
      hint: "porthole share list shows them.",
    });
  const ids = positionals.includes("all") ? "all" : positionals;
  const revoked = await runningClient(values["state-dir"]).ask<readonly string[]>("share/revoke", { ids });
  if (values.json) return `${visibleJson(revoked)}\n`;
  return `${revoked.length === 1 ? "1 link" : `${revoked.length} links`} withdrawn. Who came in by them is out.\n`;
}
