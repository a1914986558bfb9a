import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { PortholeError } from "@porthole/common/errors";
import { sameSecret } from "@porthole/common/util";
import { rpcErrorData, type DaemonConnection, type Requests } from "@porthole/tunnel/rpc";
import { pageMethods, type PageMethod, type ToPage } from "@porthole/tunnel/requests";
import type { PageFiles } from "./web-files.ts";

export interface InspectServer {
  /** Opens the page, for this user's own browser: everyone who has the URL can read what visitors sent. */
  readonly url: string;
  close(): Promise<void>;
}

/** An edited request with its body. */
const maxQuestionBytes = 16 * 1024 * 1024;
/** Browser tabs that follow, and what is kept for one that does not read. */
const maxPages = 16;
const maxUnreadBytes = 32 * 1024 * 1024;
/** A state changes often. */
const refreshMs = 300;
/** Tells a page that the server is there. */
const heartbeatMs = 15_000;

/** Fields of each response. The page loads nothing from elsewhere, and nothing else shows or reads it. */
const headers = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Porthole requests</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/page.css">
</head>
<body>
<script src="/page.js"></script>
</body>
</html>
`;

/**
 * Serves the Requests page of a running client on 127.0.0.1, until `close`. Other users of the machine and other sites in the browser
 * have no key: it stands behind the `#` of the URL, and the page sends it as a bearer token, so there is no cookie to misuse. The Host
 * has to be this machine's, against names that are led here. Rejects with `port` when the port cannot be had.
 */
export async function startInspectServer(
  client: DaemonConnection,
  files: PageFiles,
  port: number,
): Promise<InspectServer> {
  const token = randomBytes(24).toString("base64url");
  const pages = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    answer(request, response).catch((reason: unknown) => {
      if (response.headersSent) response.destroy();
      else end(response, 500, PortholeError.from(reason).message);
    });
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening").catch((cause: unknown) => {
    throw new PortholeError("usage", `Port ${port} of 127.0.0.1 can't be had`, { cause, hint: "Choose another port." });
  });
  const { port: own } = server.address() as AddressInfo;
  const hosts = [`127.0.0.1:${own}`, `localhost:${own}`];

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url, headers: asked } = request;
    if (!hosts.includes(asked.host ?? "")) return end(response, 421, "This server has another name.");
    const site = asked["sec-fetch-site"];
    if (site !== undefined && site !== "same-origin" && !(site === "none" && url === "/") && !isFromFile(asked, url))
      return end(response, 403, "Open the address that porthole inspect --web has printed.");
    switch (`${method} ${url}`) {
      case "GET /":
        return end(response, 200, html, "text/html");
      case "GET /page.js":
        return end(response, 200, files.script, "text/javascript");
      case "GET /page.css":
        return end(response, 200, files.style, "text/css");
      case "GET /events":
        return isAllowed(asked.authorization) ? follow(response) : end(response, 401, "The key is missing.");
      case "POST /call":
        return isAllowed(asked.authorization) ? call(request, response) : end(response, 401, "The key is missing.");
      default:
        return end(response, 404, "There is no such page.");
    }
  }

  function isAllowed(authorization = ""): boolean {
    return sameSecret(authorization, `Bearer ${token}`);
  }

  async function call(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!request.headers["content-type"]?.startsWith("application/json"))
      return end(response, 415, "It has to be JSON.");
    const length = Number(request.headers["content-length"] ?? Infinity);
    if (!(length <= maxQuestionBytes)) {
      response.setHeader("connection", "close");
      return end(response, 413, "It is too long.");
    }
    const left = new AbortController();
    response.once("close", () => left.abort());
    const question = questionOf((await buffer(request)).toString());
    if (!question) return end(response, 400, "The page may not ask for this.");
    const { tunnel, method, params } = question;
    const asked: unknown = { ...params, tunnel };
    const result = await client.call(method, asked as Requests[PageMethod][0], { signal: left.signal }).then(
      (result) => ({ result }),
      (reason: unknown) => ({ error: rpcErrorData(reason) }),
    );
    end(response, 200, JSON.stringify(result), "application/json");
  }

  async function follow(response: ServerResponse): Promise<void> {
    if (pages.size >= maxPages) return end(response, 503, "Too many pages are open.");
    response.writeHead(200, { ...headers, "content-type": "application/x-ndjson" }).write("\n");
    pages.add(response);
    response.once("close", () => pages.delete(response));
    send(response, await tunnels());
  }

  async function tunnels(): Promise<ToPage> {
    const { tunnels } = await client.call("tunnel/list", {});
    return { type: "tunnels", tunnels: tunnels.map(({ id }) => ({ id, name: id, short: id })) };
  }

  /** A page that does not read is dropped; it comes back by itself and reads everything again. */
  function send(page: ServerResponse, message?: ToPage): void {
    if (page.writableLength > maxUnreadBytes) page.destroy();
    else page.write(`${message ? JSON.stringify(message) : ""}\n`);
  }

  function sendAll(message?: ToPage): void {
    for (const page of pages) send(page, message);
  }

  let refreshing: NodeJS.Timeout | undefined;
  const off = [
    client.on("inspect/exchange", ({ id, changes }) => sendAll({ type: "changes", tunnel: id, changes })),
    // A tunnel may have begun or ended. A page takes the same list for no change.
    client.on("tunnel/state", () => {
      refreshing ??= setTimeout(() => {
        refreshing = undefined;
        tunnels().then(sendAll, () => {});
      }, refreshMs);
    }),
  ];
  const heartbeat = setInterval(sendAll, heartbeatMs);

  return {
    url: `http://127.0.0.1:${own}/#${token}`,
    async close() {
      clearInterval(heartbeat);
      clearTimeout(refreshing);
      for (const each of off) each();
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Undefined for what the page has no business to ask. */
function questionOf(json: string): { tunnel: string; method: PageMethod; params: object } | undefined {
  let asked: unknown;
  try {
    asked = JSON.parse(json);
  } catch {
    return undefined;
  }
  const { tunnel, method: name, params } = (asked ?? {}) as Record<string, unknown>;
  const method = pageMethods.find((each) => each === name);
  return method !== undefined && typeof tunnel === "string" && typeof params === "object" && params !== null
    ? { tunnel, method, params }
    : undefined;
}

/** The file that opens the page in a browser is another site to it. */
function isFromFile(asked: IncomingMessage["headers"], url: string | undefined): boolean {
  return asked["sec-fetch-mode"] === "navigate" && asked["sec-fetch-dest"] === "document" && url === "/";
}

function end(response: ServerResponse, status: number, body: string, type = "text/plain"): void {
  response.writeHead(status, { ...headers, "content-type": `${type}; charset=utf-8` }).end(body);
}
