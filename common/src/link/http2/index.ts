export { connectThroughProxy, type HttpProxy } from "./connect-proxy.ts";
export { dialHttp2, type DialHttp2Options } from "./dial.ts";
export { acceptHttp2, type Http2Acceptor, type AcceptHttp2Options } from "./accept.ts";
