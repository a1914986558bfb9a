// A gRPC service with a public name: node server.mjs
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { expose } from "@porthole/tunnel";
import { echo } from "./echo.mjs";

const server = new Server();
server.addService(echo, {
  say: (call, callback) => callback(null, `You said: ${call.request}`),
  talk: (call) => call.on("data", (message) => call.write(`You said: ${message}`)).on("end", () => call.end()),
});
const port = await new Promise((resolve, reject) => {
  const bound = (error, port) => (error ? reject(error) : resolve(port));
  server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), bound);
});

const tunnel = await expose(`h2c://127.0.0.1:${port}`, { invite: process.env.PORTHOLE_INVITE, tunnel: "grpc" });
for (const signal of ["SIGINT", "SIGTERM"])
  process.once(signal, () => {
    server.forceShutdown();
    void tunnel.close();
  });
const { hostname, port: publicPort } = new URL(tunnel.url);
console.log(`${hostname}:${publicPort || 443}`);
