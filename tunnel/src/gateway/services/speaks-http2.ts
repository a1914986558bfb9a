import { limits } from "../limits.ts";
import { connectService, type ConnectOptions, type LocalService } from "./local-service.ts";

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const emptySettings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
const frameHeadBytes = 9;

/** Whether the service takes HTTP/2 without TLS: it answers the preface with its settings (RFC 9113 3.4). Never rejects. */
export async function speaksHttp2(service: LocalService, options: ConnectOptions): Promise<boolean> {
  const socket = await connectService(service, options).catch(() => undefined);
  if (!socket) return false;
  return new Promise((resolve) => {
    let heard = Buffer.alloc(0);
    const timer = options.clock.timer(limits.http2ProbeMs, () => done(false));
    function done(answer: boolean): void {
      timer.cancel();
      socket?.destroy();
      resolve(answer);
    }
    socket.on("data", (chunk: Buffer) => {
      heard = Buffer.concat([heard, chunk]);
      if (heard.length >= frameHeadBytes) done(heard[3] === emptySettings[3] && heard.readUInt32BE(5) === 0);
    });
    socket.on("close", () => done(false));
    socket.write(Buffer.concat([preface, emptySettings]));
  });
}
