/** Bounds and deadlines of the gateway. Times are in milliseconds. */
export const limits = {
  /** Connecting to the local service. */
  serviceConnectMs: 5_000,
  /** How long a visitor may stay that was told that this is the end. */
  visitorCloseMs: 3_000,
  /** How long a visitor of a service that may speak first has for its own first bytes before the service is asked. */
  silentVisitorMs: 100,
  /** How long a service may take to show that it speaks HTTP/2. */
  http2ProbeMs: 1_000,
  /** The deadline from a connection's beginning, or the last response, to the end of the next request's head. */
  httpHeadDeadlineMs: 60_000,
  /** A request's head, and a service's. */
  maxHttpHeadBytes: 32 * 1024,
  maxServiceHeadBytes: 256 * 1024,
  /** Fields of one head. Browsers send a field for each cookie over HTTP/2. */
  maxHttpFields: 2_000,
  /** Bytes of a body with a length that a visitor has to send in each interval until the service begins to answer. */
  httpBodyStallMs: 60_000,
  httpBodyLeastBytes: 60,
  /** How long a request over HTTP/2 without a length is waited for to show whether it has a body at all. */
  emptyBodyPeekMs: 50,
  /** How long a visitor that has ended its direction may take nothing of the rest of an answer; most of them have left. */
  halfClosedVisitorMs: 5_000,
  /**
   * Requests at once on one HTTP/2 connection. Node counts a cancelled one until the end of the turn, so a visitor that cancels all it has and asks again
   * needs room for twice as many, and what Node refuses is an error to the visitor. Beyond so many refusals Node ends the connection.
   */
  maxVisitorStreams: 250,
  maxRefusedStreams: 10_000,
  /** Node never takes back what it has counted for data of a cancelled stream, so this must not be reached. The bounds here limit what waits. */
  http2SessionMegabytes: 4_000_000,
  /**
   * Limits on responses that visitors do not read: bytes that may wait for one visitor's connection, and in all. While more than half of that waits, an answer
   * is ended when its visitor takes nothing for `unreadPatienceMs`.
   */
  maxUnreadConnectionBytes: 16 * 1024 * 1024,
  maxUnreadBytes: 256 * 1024 * 1024,
  unreadPatienceMs: 60_000,
  unreadCheckMs: 1_000,
  /** Bytes that a visitor's HTTP/2 connection may send before the services have read them. */
  visitorWindowBytes: 4 * 1024 * 1024,
  /** Requests of one visitor's connection that a local service may owe an answer, and how long the next one waits then. */
  eagerServiceRequests: 32,
  serviceTurnPatienceMs: 250,
  /** An unused connection to the local service; servers close theirs after 2 s and more. */
  serviceIdleMs: 1_500,
  /** How long the head of a short answer waits for its body. */
  shortAnswerMs: 20,
  /**
   * How long the service may take to refuse the public name, and to answer the same request as from localhost: a development server
   * compiles its first page then. And how long the finding holds.
   */
  nameProbeMs: 1_000,
  localProbeMs: 30_000,
  nameProbeHoldsMs: 60_000,
  /** Bytes that one HTTP/2 stream may send before they are read. */
  streamWindowBytes: 1024 * 1024,
  /** Bytes that all HTTP/2 streams of one connection to the service may send before they are read. */
  serviceWindowBytes: 16 * 1024 * 1024,
} as const;
