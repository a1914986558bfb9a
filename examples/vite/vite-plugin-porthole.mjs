// A plugin for Vite that gives the development server a public URL:
//   import { porthole } from "./vite-plugin-porthole.mjs";
//   export default { plugins: [porthole()] };
import { expose } from "@porthole/tunnel";

export function porthole(options = {}) {
  return {
    name: "porthole",
    apply: "serve",
    configureServer({ httpServer, config }) {
      const leave = new AbortController();
      httpServer?.once("close", () => leave.abort());
      httpServer?.once("listening", async () => {
        try {
          const tunnel = await expose(httpServer, { tunnel: "vite", ...options, signal: leave.signal });
          config.logger.info(`  ➜  Public:  ${tunnel.url}/`);
        } catch (reason) {
          if (!leave.signal.aborted) config.logger.error(`  Porthole: ${reason.message}`);
        }
      });
    },
  };
}
