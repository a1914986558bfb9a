import https from "node:https";
import type { TLSSocket } from "node:tls";
import { PortholeError } from "@porthole/common/errors";
import { readPeer } from "@porthole/common/identity";

const timeoutMs = 10_000;

/** One request through the whole path, as a visitor makes it; checks that the answer comes from the holder of the key. */
export async function selfCheck(url: string, clientId: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const startedAt = performance.now();
  const status = await new Promise<number>((resolve, reject) => {
    const request = https.get(
      // Names under .localhost lead to this machine in browsers, but not in every resolver.
      {
        host: "127.0.0.1",
        port,
        servername: hostname,
        headers: { host: `${hostname}:${port}` },
        rejectUnauthorized: false,
        agent: false,
      },
      (response) => {
        const { raw } = (response.socket as TLSSocket).getPeerCertificate();
        response.resume();
        response.on("end", () => resolve(response.statusCode ?? 0));
        if (readPeer(raw).clientId !== clientId)
          reject(new PortholeError("untrusted", "The certificate that answered is not of this client's key"));
      },
    );
    request.setTimeout(timeoutMs, () => request.destroy(new PortholeError("timeout", "no answer in 10 s")));
    request.on("error", reject);
  });
  return `Checked: a request through the tunnel was answered with status ${status} in ${Math.round(performance.now() - startedAt)} ms.`;
}
