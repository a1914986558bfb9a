// A web server on the client's host: GET /N answers N bytes, those that file.ts makes; GET /stream/N answers N bytes of one kind, which
// cost nothing to make; POST returns the hash of what came, POST /sink only reads it, and GET /sunk returns how much that was. Prints
// its port.
import { createHash } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline, Readable } from "node:stream";
import { fileBlocks } from "./file.ts";

const block = Buffer.alloc(64 * 1024, "a");

function* equalBlocks(length: number): Generator<Buffer> {
  for (let left = length; left > 0; left -= block.length) yield block.subarray(0, left);
}

let sunkBytes = 0;

const server = http.createServer((request, response) => {
  const path = request.url ?? "/";
  if (request.method === "POST" && path === "/sink") {
    request.on("data", (chunk: Buffer) => (sunkBytes += chunk.length));
    request.on("end", () => response.end());
    return;
  }
  if (request.method === "POST") {
    const hash = createHash("sha256");
    request.on("data", (chunk: Buffer) => hash.update(chunk));
    request.on("end", () => response.end(hash.digest("hex")));
    return;
  }
  if (path === "/sunk") return void response.end(String(sunkBytes));
  const length = Number(path.split("/").at(-1)) || 0;
  response.writeHead(200, { "content-type": "application/octet-stream", "content-length": length });
  const blocks = path.startsWith("/stream/") ? equalBlocks(length) : fileBlocks(length);
  pipeline(Readable.from(blocks, { objectMode: false }), response, () => {});
});
// Visitors keep their connections for longer than Node would.
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify({ port: (server.address() as AddressInfo).port }));
});
