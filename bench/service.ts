import { once } from "node:events";
import http, { type RequestListener } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";

/** A local service in a process of its own: `/` answers two bytes, `/N` answers N bytes. Over TLS where the environment has a key. */
const block = Buffer.alloc(1024 * 1024, "a");
const answer: RequestListener = (request, response) => {
  let left = Number(request.url?.slice(1)) || 2;
  response.writeHead(200, { "content-length": left });
  const send = (): void => {
    while (left > 0) {
      const size = Math.min(left, block.length);
      left -= size;
      if (!response.write(block.subarray(0, size))) {
        response.once("drain", send);
        return;
      }
    }
    response.end();
  };
  send();
};
const { BENCH_TLS_KEY: key, BENCH_TLS_CERT: cert } = process.env;
const server = key ? https.createServer({ key, cert }, answer) : http.createServer(answer);
server.listen(0, "127.0.0.1");
await once(server, "listening");
process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
