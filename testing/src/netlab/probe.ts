// For netlab.test.ts. `probe.ts listen` collects UDP datagrams, and reports their numbers over TCP;
// `probe.ts send HOST COUNT` sends some, then asks which ones arrived, and how long the question took.
import { once } from "node:events";
import dgram from "node:dgram";
import net from "node:net";
import { setImmediate as turn } from "node:timers/promises";

const port = 5_000;
// Small, so that they all fit into the buffer of a listener that is late.
const datagramBytes = 58;
const [role, host, count] = process.argv.slice(2);
if (role === "listen") await listen();
else await send(host ?? "", Number(count));

async function listen(): Promise<void> {
  const seen: number[] = [];
  const udp = dgram.createSocket({ type: "udp4", recvBufferSize: 4_000_000 }, (datagram) =>
    seen.push(datagram.readUInt32BE()),
  );
  udp.bind(port);
  await once(udp, "listening");
  const server = net.createServer((socket) => {
    socket.once("data", async () => {
      // Node reads some datagrams a turn; those that came before the question may still wait in the kernel.
      for (let quietTurns = 0, before = -1; quietTurns < 3; await turn()) {
        quietTurns = before === seen.length ? quietTurns + 1 : 0;
        before = seen.length;
      }
      socket.end(JSON.stringify(seen.splice(0)));
    });
  });
  server.listen(port, "0.0.0.0", () => console.log(JSON.stringify({ ready: true })));
}

async function send(host: string, count: number): Promise<void> {
  // Connected first: until the kernel knows where a neighbour is, it keeps only a few datagrams for it.
  const socket = net.connect({ port, host, noDelay: true });
  await once(socket, "connect");
  const udp = dgram.createSocket("udp4");
  const sendingSince = performance.now();
  for (let number = 0; number < count; number++) {
    const datagram = Buffer.alloc(datagramBytes);
    datagram.writeUInt32BE(number);
    await new Promise((resolve) => udp.send(datagram, port, host, resolve));
  }
  udp.close();
  // What is on a wire arrives in order, so the question comes after all of them.
  const startedAt = performance.now();
  socket.write("?");
  let answer = "";
  for await (const chunk of socket.setEncoding("utf8")) answer += chunk;
  const roundTripMs = performance.now() - startedAt;
  console.log(JSON.stringify({ arrived: JSON.parse(answer), sentMs: startedAt - sendingSince, roundTripMs }));
}
