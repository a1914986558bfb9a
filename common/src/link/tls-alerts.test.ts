import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import tls from "node:tls";
import { encodeAlert } from "../protocol/index.ts";
import { alertOf, receivedAlert, sentAlert } from "./tls-alerts.ts";

/** The alerts of TLS 1.3 and its extensions (RFC 8446 section 6.2); OpenSSL has no name of its own for the others. */
const sentInTls13 = [
  10, 20, 22, 40, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 70, 71, 80, 86, 90, 109, 110, 112, 113, 115, 116, 120,
];

describe("TLS alerts", () => {
  let server: net.Server;
  let number: number;
  before(async () => {
    server = net.createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.end(encodeAlert(number)));
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
  });
  after(async () => {
    server.close();
    await once(server, "close");
  });

  for (const each of sentInTls13)
    it(`${each} is known by the error that this Node has for it`, async () => {
      number = each;
      const { port } = server.address() as AddressInfo;
      const socket = tls.connect({ port, host: "127.0.0.1", minVersion: "TLSv1.3" });
      const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
      assert.equal(alertOf(error.code), each, error.code);
      for (const { text } of [receivedAlert(each), sentAlert(each)])
        assert.doesNotMatch(text, /for a reason that is not known here/);
    });

  it("that are none of the table have a text all the same", () => {
    assert.equal(alertOf("ERR_SSL_WRONG_VERSION_NUMBER"), undefined);
    assert.equal(alertOf("ECONNRESET"), undefined);
    assert.equal(alertOf(undefined), undefined);
    assert.deepEqual(receivedAlert(255).code, "protocol");
    assert.deepEqual(sentAlert(48).code, "untrusted");
  });
});
