export { freePort } from "../free-port.ts";
export { startDaemonProcess, type DaemonProcess } from "./daemon-process.ts";
export { startProxy } from "./connect-proxy.ts";
export { pythonPackages } from "./python-packages.ts";
export { npmPackage } from "./npm-package.ts";
export { figuresOf } from "./figures.ts";
export { startTestClient, type TestClient, type TestClientOptions } from "./client.ts";
export {
  compileCache,
  needProgram,
  programFile,
  run,
  runCli,
  start,
  startCli,
  type Output,
  type Running,
} from "./process.ts";
export { peerSeats, type PeerSeat } from "./peers.ts";
export { settled, startTestRelay, type TestRelayOptions } from "./relay.ts";
export { useScope, type Scope, type ScopeOptions } from "./scope.ts";
export { startH2c, startHttp, startTcp, type Service } from "./services.ts";
export { needQuic, overEachTransport, type Transport } from "./transport.ts";
export { startTunnel, type Tunnel } from "./tunnel.ts";
export { closed, soon, until } from "./until.ts";
export { connectVisitor, get, readAll, readText, request, siteAt, siteOf, type Site } from "./visitor.ts";
export { isFull, sized } from "../size.ts";
export { hashOf, source } from "./hash.ts";
export { hastened, hastenedFrom, settable, withoutUdp, type Detour } from "./network.ts";
export { dialLink, dialRelay, hello, idOf, startFakeRelay, ticketOf, welcome } from "./raw-client.ts";
export { listeningLog } from "./log.ts";
export { startRawDaemon, startTestDaemon, type TestDaemon } from "./daemon-host.ts";
