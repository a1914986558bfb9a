import { eventWords, kinds, type NativeEndpoint } from "./binding.ts";
import type { NativeConnection } from "./connection.ts";

export interface EndpointListener {
  connection(link: number): NativeConnection | undefined;
  onConnected(link: number): void;
  /** The end of a link that `connection` does not know: a handshake that failed. */
  onFailed(how: number, code: number): void;
  /** The socket is closed: nothing comes any more. */
  onEndpointClosed(): void;
}

const batch = new Uint32Array(eventWords * 256);

/** Hands the events that wait to whom they are for. */
export function dispatch(endpoint: NativeEndpoint, listener: EndpointListener): void {
  for (;;) {
    const count = endpoint.poll(batch);
    // Copied: what is told of an event may poll another endpoint.
    const events = batch.slice(0, count * eventWords);
    for (let at = 0; at < events.length; at += eventWords)
      tell(listener, events.subarray(at, at + eventWords) as unknown as [number, number, number, number, number]);
    if (count * eventWords < batch.length) return;
  }
}

function tell(
  listener: EndpointListener,
  [kind, link, stream, how, code]: readonly [number, number, number, number, number],
): void {
  if (kind === kinds.endpointClosed) return listener.onEndpointClosed();
  if (kind === kinds.connected) return listener.onConnected(link);
  const connection = listener.connection(link);
  if (!connection) {
    if (kind === kinds.closed) listener.onFailed(how, code);
    return;
  }
  switch (kind) {
    case kinds.stream:
      return connection.onStream(stream);
    case kinds.readable:
      return connection.onReadable(stream);
    case kinds.writable:
      return connection.onWritable(stream);
    case kinds.refused:
      return connection.onRefused(stream);
    case kinds.closed:
      return connection.onClosed(how, code);
  }
}
