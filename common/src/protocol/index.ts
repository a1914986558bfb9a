export { type ClientHello } from "./client-hello-body.ts";
export { ClientHelloReader, type HelloResult } from "./client-hello.ts";
export { ControlDecoder, encodeControl } from "./control-codec.ts";
export { canonicalHostName, friendlyName, splitPublicName } from "./host-name.ts";
export { formatIp, isLoopback, parseIp } from "./ip-address.ts";
export * from "./protocol.ts";
export { decodeProxyHeader, encodeProxyHeader, type ProxyHeader, type SocketAddress } from "./proxy-header.ts";
export { showSource, sourceOf } from "./source.ts";
export { encodeAlert, tlsAlert } from "./tls-alert.ts";
