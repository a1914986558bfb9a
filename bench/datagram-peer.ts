// The other processes of dispatch.ts and shared-port.ts.
//   send PORT COUNT PER_SECOND   sends full-sized datagrams to 127.0.0.1
//   take [SOCKET]                counts datagrams that a dispatcher hands on, by the channel or by a local socket
//   share PORT                   shares a UDP port, and says who has sent what
// Whoever counts says so at the message "report".
import dgram, { type SocketOptions } from "node:dgram";
import net from "node:net";
import { packetBytes, headBytes } from "./datagram.ts";

const [role, where = "", count, perSecond] = process.argv.slice(2);
let taken = 0;
const seen: Record<string, string> = {};

if (role === "send") send(Number(where), Number(count), Number(perSecond));
else if (role === "take" && where !== "") listen(where);
else if (role === "share") share(Number(where));
else process.send?.("ready");

process.on("disconnect", () => process.exit());
process.on("message", (message: unknown) => {
  if (message === "report") {
    const { user, system } = process.cpuUsage();
    process.send?.({ taken, cpuUs: user + system, seen });
  } else taken += 1;
});

function send(port: number, datagrams: number, rate: number): void {
  const socket = dgram.createSocket("udp4");
  const packet = Buffer.alloc(packetBytes, "d");
  const startedAt = performance.now();
  let sent = 0;
  const burst = (): void => {
    const due = Math.min(datagrams, Math.floor(((performance.now() - startedAt) / 1_000) * rate), sent + 64);
    for (; sent < due; sent++) socket.send(packet, port, "127.0.0.1");
    if (sent < datagrams) setImmediate(burst);
    else process.disconnect();
  };
  burst();
}

function listen(path: string): void {
  net
    .createServer((socket) => {
      let rest: Buffer = Buffer.alloc(0);
      socket.on("data", (chunk) => {
        rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
        let at = 0;
        while (rest.length - at >= headBytes && rest.length - at >= headBytes + rest.readUInt16BE(at)) {
          at += headBytes + rest.readUInt16BE(at);
          taken += 1;
        }
        rest = rest.subarray(at);
      });
    })
    .listen(path, () => process.send?.("ready"));
}

function share(port: number): void {
  const options = { type: "udp4", reusePort: true } as SocketOptions;
  const socket = dgram.createSocket(options, (datagram) => {
    seen[datagram.toString()] = "here";
  });
  socket.bind(port, "127.0.0.1", () => process.send?.({ port: socket.address().port }));
}
