import { formatBytes, formatDuration } from "@porthole/common/util";
import { escapeHtml } from "../listeners/escape-html.ts";
import type { ClientReport, RelayReport } from "./report.ts";

export interface PageOptions {
  /** Shows addresses and the forms, for a person with the token. */
  readonly canOperate: boolean;
  /** Whether a token is set, so that there is a page to operate the relay. */
  readonly hasToken: boolean;
  /** The outcome of an action. */
  readonly outcome?: string;
}

const style = `body{font:15px/1.5 system-ui,sans-serif;margin:1.5rem;color:#1f2328;background:#fff}
h1{font-size:1.3rem}h2{font-size:1.05rem;margin-top:1.6rem}
table{border-collapse:collapse}th,td{padding:.25rem .9rem .25rem 0;text-align:left;border-bottom:1px solid #d5d9de;vertical-align:top}
td.n,th.n{text-align:right}form{display:inline}fieldset{border:0;padding:0;margin:.4rem 0}
.outcome{padding:.5rem .8rem;border-left:4px solid #0b5cad;background:#eef4fb;overflow-wrap:anywhere}
@media(prefers-color-scheme:dark){body{color:#e4e6ea;background:#16191d}th,td{border-color:#33383f}a{color:#6cb6ff}.outcome{background:#1e2a38}}`;

/** The admin port's page: one relay at a glance. It has no script. */
export function adminPage(report: RelayReport, { canOperate, hasToken, outcome }: PageOptions): string {
  const operate = canOperate
    ? '<a href="/">Read only</a>'
    : hasToken
      ? '<a href="/operate">Operate</a>'
      : "Set --admin-token-file to operate it here.";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<title>Porthole relay</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<main>
<h1>Porthole relay</h1>
<p>${operate}</p>
${outcome === undefined ? "" : `<p class="outcome" role="status">${escapeHtml(outcome)}</p>\n`}${facts(report)}
${clients(report.clients, canOperate)}
${held(report, canOperate)}
${canOperate ? forms : ""}
</main>
</body>
</html>
`;
}

/** Content-Security-Policy: the page's own style, and forms to the relay itself. */
export const adminPagePolicy =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

function facts(report: RelayReport): string {
  const { software, upMs, isDraining, visitors, bytesIn, bytesOut, certificateExpiresAt, cluster } = report;
  const rows: readonly (readonly [string, string])[] = [
    ["Version", software],
    ["Up", `${formatDuration(upMs)}${isDraining ? ", draining" : ""}`],
    ["Visitors", `${visitors} so far`],
    ["Traffic", `${formatBytes(bytesIn)} from visitors, ${formatBytes(bytesOut)} to them`],
    ["Certificate", `until ${new Date(certificateExpiresAt).toISOString().slice(0, 16).replace("T", " ")} UTC`],
    [
      "QUIC",
      report.quicUnavailable === undefined ? (report.quicEngine ?? "starting") : `none: ${report.quicUnavailable}`,
    ],
    ...(cluster === undefined ? [] : ([["Cluster", "yes; porthole-relay status shows the other relays"]] as const)),
  ];
  return table(
    "Relay",
    rows.map(([name, value]) => `<tr><th scope="row">${name}</th><td>${escapeHtml(value)}</td></tr>`),
  );
}

function clients(all: readonly ClientReport[], canOperate: boolean): string {
  if (all.length === 0) return "<h2>Clients</h2>\n<p>No client is connected.</p>";
  const head = ["Label", "Names", "Version", "Address", "Transport", "Up", "Visitors", "Today", "Total"];
  return table(
    `Clients: ${all.length}`,
    all.map((client) => {
      const { label, hostnames, links, software } = client;
      const unique = (values: readonly string[]): string => [...new Set(values)].join(", ");
      const cells = [
        label ?? client.client,
        hostnames.join(" "),
        software,
        canOperate ? unique(links.map(({ from }) => from.replace(/:\d+$/, ""))) : "–",
        unique(links.map(({ transport }) => (transport === "quic" ? "QUIC" : "HTTP/2"))),
        formatDuration(Math.max(0, ...links.map(({ upMs }) => upMs))),
        String(links.reduce((sum, { streams }) => sum + streams, 0)),
        formatBytes(client.bytesToday),
        formatBytes(client.bytesInTotal),
      ];
      const end = canOperate
        ? `<td>${button("disconnect", client.client, "Disconnect")}${button("ban", client.client, "Ban")}</td>`
        : "";
      return `<tr>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join("")}${end}</tr>`;
    }),
    canOperate ? [...head, "Actions"] : head,
  );
}

function held({ held: all }: RelayReport, canOperate: boolean): string {
  if (all.length === 0) return "<h2>Limits</h2>\n<p>No address is kept out.</p>";
  if (!canOperate) return `<h2>Limits</h2>\n<p>Addresses that are kept out: ${all.length}.</p>`;
  return table(
    "Kept out",
    all.map(
      ({ source, leftMs, code, times }) =>
        `<tr>${[source, code, String(times), formatDuration(leftMs)].map((cell) => `<td>${escapeHtml(cell)}</td>`).join("")}</tr>`,
    ),
    ["Address", "Why", "Times", "For"],
  );
}

const forms = `<h2>Operate</h2>
<form method="post" action="/operate"><fieldset>
<input type="hidden" name="action" value="invite">
<label>Label <input name="what" maxlength="100" placeholder="Ada, laptop"></label>
<button>Make an Invite</button>
</fieldset></form>
<form method="post" action="/operate"><fieldset>
<input type="hidden" name="action" value="ban">
<label>Client id, address, network or name <input name="what" maxlength="300" required></label>
<label>for <select name="for"><option value="1h">an hour</option><option value="1d">a day</option><option value="7d">a week</option><option value="">good</option></select></label>
<button>Ban</button>
</fieldset></form>`;

function button(action: string, what: string, label: string): string {
  const name = `${label} ${what}`;
  return `<form method="post" action="/operate"><input type="hidden" name="action" value="${action}"><input type="hidden" name="what" value="${escapeHtml(what)}"><button aria-label="${escapeHtml(name)}">${label}</button></form> `;
}

function table(title: string, rows: readonly string[], head: readonly string[] = []): string {
  const heading = head.map((each) => `<th scope="col">${each}</th>`).join("");
  return `<h2>${escapeHtml(title)}</h2>\n<table>\n${heading === "" ? "" : `<tr>${heading}</tr>\n`}${rows.join("\n")}\n</table>`;
}
