// An Express app with a public URL and no port: node express-app.mjs
import express from "express";
import { expose } from "@porthole/tunnel";

const app = express();
app.get("/", (_request, response) => response.send("Hello from Express"));

const tunnel = await expose(app, { invite: process.env.PORTHOLE_INVITE, tunnel: "express-app" });
process.once("SIGINT", () => tunnel.close());
process.once("SIGTERM", () => tunnel.close());
console.log(tunnel.url);
for await (const { method, path, status, durationMs } of tunnel.requests())
  console.log(`${method} ${path} ${status} ${Math.round(durationMs)} ms`);
