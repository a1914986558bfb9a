import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { chromium, type Browser } from "playwright-core";
import { WebSocketServer } from "ws";
import { needProgram, overEachTransport, startHttp, startTunnel, useScope } from "@porthole/testing/end-to-end";

const assetsOfEachKind = 50;

describe("A browser behind the tunnel", function () {
  this.timeout(90_000);
  let browser: Browser | undefined;

  before(async function () {
    needProgram(this, "chromium");
    browser = await chromium.launch({
      executablePath: "/usr/bin/chromium",
      args: [
        ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
        ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
        ...["--ignore-certificate-errors", "--host-resolver-rules=MAP *.localhost 127.0.0.1"],
      ],
    });
  });
  after(() => browser?.close());

  const scope = useScope();

  overEachTransport((transport) => {
    it("loads a page with 200 assets, all of them whole", async () => {
      const service = await startHttp(scope, site);
      const { site: url } = await startTunnel(scope, { transport, local: service.local });
      const page = await (browser as Browser).newPage();
      scope.defer(() => page.close());
      const failures: string[] = [];
      page.on("requestfailed", (request) => failures.push(`${request.url()} ${request.failure()?.errorText}`));
      await page.goto(url.origin, { waitUntil: "load" });
      assert.deepEqual(failures, []);
      assert.deepEqual(await page.evaluate(loaded), {
        scripts: assetsOfEachKind,
        styles: assetsOfEachKind,
        images: assetsOfEachKind,
        fetched: assetsOfEachKind,
      });
    });

    it("has a WebSocket and an EventSource open at the same time", async () => {
      const sockets = new WebSocketServer({ noServer: true });
      sockets.on("connection", (socket) =>
        socket.on("message", (data: Buffer) => socket.send(`echo of ${data.toString()}`)),
      );
      const service = await startHttp(scope, live, {
        onUpgrade: (incoming, socket, head) =>
          sockets.handleUpgrade(incoming, socket, head, (client) => sockets.emit("connection", client)),
      });
      const { site } = await startTunnel(scope, { transport, local: service.local });
      const page = await (browser as Browser).newPage();
      scope.defer(() => page.close());
      await page.goto(site.origin);
      assert.deepEqual(await page.evaluate(talk), ["one", "echo of two"]);
    });
  });
});

/** A page of scripts, style sheets, images and fetches; each asset has a size of its own. */
const site: RequestListener = (request, response) => {
  const [, kind = "", number = "0"] = (request.url ?? "").split("/");
  const padding = " ".repeat(Number(number) * 997);
  if (kind === "") {
    const all = Array.from({ length: assetsOfEachKind }, (_, i) => i);
    response.setHeader("content-type", "text/html");
    response.end(`<!doctype html><script>var scripts = 0</script>
      ${all.map((i) => `<link rel="stylesheet" href="/css/${i}">`).join("")}
      ${all.map((i) => `<script src="/js/${i}"></script><img src="/svg/${i}">`).join("")}`);
    return;
  }
  const [type, text] =
    kind === "js"
      ? ["text/javascript", `${padding}scripts += 1`]
      : kind === "css"
        ? ["text/css", `${padding}i { color: red }`]
        : kind === "svg"
          ? ["image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg" width="3" height="3">${padding}</svg>`]
          : ["text/plain", padding];
  response.setHeader("content-type", type);
  response.end(text);
};

/** Runs in the page. */
async function loaded() {
  const { document } = globalThis as unknown as {
    document: {
      readonly styleSheets: { readonly length: number };
      readonly images: ArrayLike<{ readonly complete: boolean; readonly naturalWidth: number }>;
    };
  };
  const texts = await Promise.all(
    Array.from({ length: 50 }, async (_, i) => (await (await fetch(`/text/${i}`)).text()).length === i * 997),
  );
  return {
    scripts: (globalThis as unknown as { scripts: number }).scripts,
    styles: document.styleSheets.length,
    images: Array.from(document.images).filter((image) => image.complete && image.naturalWidth === 3).length,
    fetched: texts.filter(Boolean).length,
  };
}

/** A page that is never quite finished. */
const live: RequestListener = (request, response) => {
  if (request.url !== "/events") {
    response.setHeader("content-type", "text/html").end("<p>live");
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write("data: one\n\n");
};

/** Runs in the page: an event, and while events may still come an answer over a WebSocket. */
async function talk(): Promise<[unknown, unknown]> {
  const source = new EventSource("/events");
  const event = await new Promise<unknown>((resolve) => {
    source.onmessage = ({ data }) => resolve(data);
  });
  const socket = new WebSocket("/socket");
  const answer = await new Promise<unknown>((resolve, reject) => {
    socket.onopen = () => socket.send("two");
    socket.onmessage = ({ data }) => resolve(data);
    socket.onerror = () => reject(new Error("the WebSocket failed"));
  });
  return [event, answer];
}
