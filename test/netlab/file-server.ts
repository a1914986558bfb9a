// A web server on the agent's host: /N answers N bytes, those that file.ts makes. Prints its port.
import http from "node:http";
import type { AddressInfo } from "node:net";
import { fileBytes } from "./file.ts";

const server = http.createServer((request, response) => {
  const length = Number(request.url?.slice(1)) || 0;
  response.writeHead(200, { "content-type": "application/octet-stream", "content-length": length });
  response.end(fileBytes(length));
});
server.listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify({ port: (server.address() as AddressInfo).port }));
});
