// A web server on the agent's host: GET /N answers N bytes, those that file.ts makes; POST answers the hash of what came.
// Prints its port.
import { createHash } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { fileBytes } from "./file.ts";

const server = http.createServer((request, response) => {
  if (request.method === "POST") {
    const hash = createHash("sha256");
    request.on("data", (chunk: Buffer) => hash.update(chunk));
    request.on("end", () => response.end(hash.digest("hex")));
    return;
  }
  const length = Number(request.url?.slice(1)) || 0;
  response.writeHead(200, { "content-type": "application/octet-stream", "content-length": length });
  response.end(fileBytes(length));
});
server.listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify({ port: (server.address() as AddressInfo).port }));
});
