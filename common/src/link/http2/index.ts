export { connectThroughProxy, type HttpProxy } from "./connect-proxy.ts";
export { dialHttp2 } from "./dial.ts";
export { acceptHttp2, type Http2Acceptor } from "./accept.ts";
