// Loaded into a client by --require: quiche's `recv` does not return while the file PORTHOLE_TEST_HANG is there, as in CVE-2025-7054.
const { existsSync } = require("node:fs");
const { createRequire } = require("node:module");
const { join } = require("node:path");
const fromCommon = createRequire(join(__dirname, "../../common/src/index.ts"));
const { prototype } = fromCommon("@matrixai/quic/dist/native/quiche.js").default.Connection;

const { recv } = prototype;
prototype.recv = function (...packet) {
  while (existsSync(process.env.PORTHOLE_TEST_HANG));
  return recv.apply(this, packet);
};
