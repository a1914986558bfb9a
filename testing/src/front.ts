import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import tls from "node:tls";
import { answerChallenge, Challenges, type ServedCertificate } from "@porthole/common/acme";
import { alpn, ClientHelloReader, encodeAlert, tlsAlert } from "@porthole/common/protocol";
import { systemClock } from "@porthole/common/util";

/** A relay with its clients, in one: challenges and visitors come to one port and are told apart by their ClientHello. */
export class Front {
  readonly challenges = new Challenges();
  readonly served = new Map<string, tls.SecureContext>();
  readonly validators: string[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #abort = new AbortController();
  readonly #server: Server;

  constructor() {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", () => {});
      this.#read(socket);
    });
  }

  async listen(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  serve({ name, chainPem, key }: ServedCertificate): void {
    this.served.set(name, tls.createSecureContext({ cert: chainPem, key: key.pem }));
  }

  async close(): Promise<void> {
    this.#abort.abort();
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #read(socket: Socket): void {
    const reader = new ClientHelloReader();
    socket.on("data", (chunk: Buffer) => {
      const result = reader.push(chunk);
      if (result.status !== "hello") return;
      socket.removeAllListeners("data").pause();
      socket.unshift(reader.bytes);
      const { serverName = "", alpnProtocols } = result.hello;
      const isChallenge = alpnProtocols.length === 1 && alpnProtocols[0] === alpn.acmeChallenge;
      const secureContext = isChallenge ? this.challenges.find(serverName) : this.served.get(serverName);
      if (!secureContext) socket.end(encodeAlert(tlsAlert.unrecognizedName));
      else if (isChallenge) {
        this.validators.push(serverName);
        answerChallenge(socket, secureContext, { clock: systemClock, signal: this.#abort.signal }).catch(() => {});
      } else new tls.TLSSocket(socket, { isServer: true, secureContext }).on("error", () => {}).end("hello");
    });
  }
}
