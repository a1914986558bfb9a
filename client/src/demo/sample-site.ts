import { once } from "node:events";
import http, { type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A page to look at when there is no dev server of one's own: shows that requests and a live stream come through. */
export async function startSampleSite(): Promise<{ readonly port: number; close(): Promise<void> }> {
  const live = new Set<ServerResponse>();
  let visits = 0;
  const server = http.createServer((request, response) => {
    if (request.url === "/events") {
      response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
      live.add(response);
      response.on("close", () => live.delete(response));
      broadcast(live, visits);
      return;
    }
    if (request.url !== "/") {
      response.writeHead(404, { "content-type": "text/plain" }).end("There is only one page here.\n");
      return;
    }
    visits += 1;
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page);
    broadcast(live, visits);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, close: () => closeServer(server) };
}

function broadcast(live: ReadonlySet<ServerResponse>, visits: number): void {
  for (const response of live) response.write(`data: ${visits}\n\n`);
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => {
    server.close(resolve);
  });
}

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Porthole sample site</title>
<style>
  body { font: 1.1rem/1.6 system-ui, sans-serif; max-width: 38rem; margin: 12vh auto; padding: 0 1.5rem; color: #1c2733; }
  h1 { font-size: 1.8rem; margin-bottom: .3em }
  b { font-variant-numeric: tabular-nums }
  code { background: #eef2f6; padding: .1em .35em; border-radius: .25em }
  @media (prefers-color-scheme: dark) { body { background: #12181f; color: #dde5ee } code { background: #222c37 } }
</style>
<h1>It works.</h1>
<p>This page came from a web server on your machine, through a relay that could not read it:
TLS ended in the Porthole client, next to the server.</p>
<p>Page views so far: <b id="visits">…</b> (live, over server-sent events)</p>
<p>Expose your own server with <code>porthole demo 5173</code>.</p>
<script>new EventSource("/events").onmessage = (event) => { document.getElementById("visits").textContent = event.data }</script>
</html>
`;
