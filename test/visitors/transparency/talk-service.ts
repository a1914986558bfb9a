import { once } from "node:events";
import net, { type AddressInfo, type Socket } from "node:net";
import type { Scope } from "@porthole/testing/end-to-end";
import { readHead } from "./http1.ts";
import { Side } from "./side.ts";

/** A service whose connections belong to the conversation that the first request on each names in its path. */
export interface TalkService {
  readonly port: number;
  /** The service's side of a conversation, until `end`. */
  begin(name: string): Side;
  end(name: string): void;
}

export async function startTalkService(scope: Scope): Promise<TalkService> {
  const sides = new Map<string, Side>();
  const sockets = new Set<Socket>();
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => {});
    let text = "";
    const read = (chunk: Buffer): void => {
      text += chunk.toString("latin1");
      const head = readHead(text.trimStart());
      if (!head) return;
      socket.off("data", read);
      const name = /\/([\w-]+)(?:\?\S*)? HTTP/.exec(head.start)?.[1] ?? "";
      const side = sides.get(name);
      if (side) side.attach(socket, text);
      else socket.destroy();
    };
    socket.on("data", read);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  scope.defer(async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, "close");
  });
  return {
    port: (server.address() as AddressInfo).port,
    begin(name) {
      const side = new Side(`the service of ${name}`);
      sides.set(name, side);
      return side;
    },
    end(name) {
      sides.get(name)?.close();
      sides.delete(name);
    },
  };
}
