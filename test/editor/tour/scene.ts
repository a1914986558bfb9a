import type { Browser } from "playwright-core";
import { WebSocketServer } from "ws";
import type { Relay } from "@porthole/relay";
import { startHttp, type Scope, type Service } from "@porthole/testing/end-to-end";
import { startOpenRelay, type Editor, type Language, type Workbench } from "@porthole/testing/editor";

export interface Look {
  /** What the pictures' names begin with. */
  readonly name: string;
  readonly colorTheme: string;
  readonly language: Language;
}

/** An editor that knows no relay yet, a relay to join, and a site to expose. */
export interface Scene {
  readonly browser: Browser;
  readonly workbench: Workbench;
  readonly relay: Relay;
  /** As one writes it. */
  readonly relayAddress: string;
  readonly site: Service;
  /** Keeps what is to be seen as test-results/editor/NAME SURFACE.png. */
  picture(surface: string): Promise<void>;
}

export async function setScene(editor: Editor, look: Look): Promise<Scene> {
  const { scope, browser } = editor;
  const relay = await startOpenRelay(scope);
  await editor.server.configure({
    "porthole.certificates": "self-signed",
    "workbench.colorTheme": look.colorTheme,
  });
  const workbench = await editor.open({ language: look.language });
  return {
    ...{ browser, workbench, relay },
    relayAddress: `127.0.0.1:${relay.apiPort}`,
    site: await startShop(scope),
    picture: (surface) => workbench.picture(`${look.name} ${surface}`),
  };
}

/** Responds with JSON, and talks over WebSockets. */
async function startShop(scope: Scope): Promise<Service> {
  const sockets = new WebSocketServer({ noServer: true });
  sockets.on("connection", (socket) =>
    socket.on("message", (data) => socket.send(`{"echo":"${(data as Buffer).toString()}"}`)),
  );
  scope.defer(() => sockets.close());
  return startHttp(
    scope,
    (request, response) => {
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify({ path: request.url, items: [1, 2, 3] }));
    },
    {
      onUpgrade: (request, socket, head) =>
        sockets.handleUpgrade(request, socket, head, (ws) => sockets.emit("connection", ws)),
    },
  );
}
