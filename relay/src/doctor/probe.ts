import { randomBytes } from "node:crypto";
import dgram from "node:dgram";
import { once } from "node:events";
import net, { isIPv6 } from "node:net";

export type Protocol = "tcp" | "udp";

/** Resolves when something at the address answers as asked; rejects with the reason, or with the signal's. */
export type Probe = (address: string, port: number, signal: AbortSignal) => Promise<void>;

/** Whether anything accepts the connection. */
export const connectTcp: Probe = async (address, port, signal) => {
  const socket = net.connect({ host: address, port });
  try {
    await once(socket, "connect", { signal });
  } finally {
    socket.destroy();
  }
};

/** Whether a QUIC endpoint is there: it has to answer a packet of an unknown version with those that it speaks (RFC 9000 6.1). */
export const askQuic: Probe = (address, port, signal) => {
  const question = Buffer.alloc(1_200); // shorter ones need not be answered
  question[0] = 0xc0;
  question.writeUInt32BE(0x1a2a3a4a, 1); // of the versions that nobody will ever speak (15)
  const [destination, source] = [randomBytes(8), randomBytes(8)];
  Buffer.concat([Buffer.from([8]), destination, Buffer.from([8]), source]).copy(question, 5);
  return ask(address, port, question, (answer) => answer.length > 7 && answer.readUInt32BE(1) === 0, signal);
};

const repeatMs = 500;

/** Sends the question until an answer comes: datagrams may get lost. */
export async function ask(
  address: string,
  port: number,
  question: Buffer,
  isAnswer: (datagram: Buffer) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const socket = dgram.createSocket(isIPv6(address) ? "udp6" : "udp4");
  let timer: NodeJS.Timeout | undefined;
  try {
    // Connected, so that a port where nobody listens is an error and not a silence.
    socket.connect(port, address);
    await once(socket, "connect", { signal });
    const send = (): void => socket.send(question, () => {});
    timer = setInterval(send, repeatMs);
    send();
    for (;;) {
      const [datagram] = (await once(socket, "message", { signal })) as [Buffer];
      if (isAnswer(datagram)) return;
    }
  } finally {
    clearInterval(timer);
    socket.close();
  }
}
