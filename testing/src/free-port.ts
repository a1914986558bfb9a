import { randomInt } from "node:crypto";
import dgram from "node:dgram";
import { once } from "node:events";
import net from "node:net";

const tries = 100;
/** Nobody may have bound them yet. */
const given = new Set<number>();

/**
 * A port that nobody has, over TCP and UDP, for a program that has to know its port before it starts, or comes back to it. From below the
 * ranges that Linux (32,768), macOS and Windows (49,152) choose ports from.
 */
export async function freePort(): Promise<number> {
  for (let i = 0; i < tries; i++) {
    const port = randomInt(20_000, 32_768);
    if (given.has(port)) continue;
    given.add(port);
    if ((await isFree(net.createServer(), port)) && (await isFree(dgram.createSocket("udp4"), port))) return port;
  }
  throw new Error(`None of ${tries} ports was free`);
}

async function isFree(socket: net.Server | dgram.Socket, port: number): Promise<boolean> {
  try {
    if (socket instanceof net.Server) socket.listen(port);
    else socket.bind(port);
    await once(socket, "listening");
  } catch {
    return false;
  }
  socket.close();
  await once(socket, "close");
  return true;
}
