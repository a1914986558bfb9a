// An unbundled development server on the client's host: GET / is a page whose one script imports 500 small modules. Prints its port.
import http from "node:http";
import type { AddressInfo } from "node:net";

const modules = Array.from({ length: 500 }, (_, i) => `/modules/${i}.js`);
const main = `${modules.map((path, i) => `import m${i} from "${path}";`).join("\n")}
globalThis.sum = ${modules.map((_path, i) => `m${i}`).join(" + ")};`;

const server = http.createServer((request, response) => {
  const number = /^\/modules\/(\d+)\.js$/.exec(request.url ?? "")?.[1];
  if (request.url === "/") {
    response.setHeader("content-type", "text/html");
    response.end(
      '<!doctype html><link rel="icon" href="data:,"><script>performance.setResourceTimingBufferSize(1000)</script><script type="module" src="/main.js"></script>',
    );
  } else if (request.url === "/main.js") response.setHeader("content-type", "text/javascript").end(main);
  else if (number !== undefined)
    response.setHeader("content-type", "text/javascript").end(`/* ${"x".repeat(1_000)} */ export default ${number};`);
  else response.writeHead(404).end();
});
server.listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify({ port: (server.address() as AddressInfo).port }));
});
