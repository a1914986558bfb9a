import type { Circumstances } from "./listed.ts";

/** A difference that is a fault. Its cases must still fail, so the change that corrects it also deletes it here. */
export interface KnownFault {
  readonly fault: string;
  readonly message: Circumstances["message"];
  /** All of the service when absent. */
  readonly cases?: readonly string[];
  readonly except?: readonly string[];
  readonly visitor?: Circumstances["visitor"];
  readonly services?: readonly Circumstances["service"][];
  /** Whether it shows is a race, so its cases may also pass. */
  readonly isChance?: true;
  readonly clients?: readonly Circumstances["client"][];
}

const http = ["http", "https"] as const;
const noAnswer = [
  ...["a reset before the answer", "a cancelled stream before the answer", "a stream that ends before the answer"],
  ...["calm before the answer", "the end of the connection before the answer"],
  ...["a reset in a body with a length", "the end of the connection in the body"],
];

export const knownFaults: readonly KnownFault[] = [
  {
    fault: "A service of HTTP/2 over TLS is not reached",
    message: "request",
    services: ["h2"],
  },
  {
    fault: "A service of HTTP/2 over TLS is not reached",
    message: "answer",
    services: ["h2"],
    except: noAnswer,
  },
  {
    fault: "A request without a body becomes an upload in chunks",
    message: "request",
    services: http,
    cases: [
      ...["MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "PROPFIND", "PROPPATCH", "REPORT", "SEARCH", "PURGE", "BIND"],
      ...["REBIND", "UNBIND", "ACL", "MKACTIVITY", "CHECKOUT", "MERGE", "NOTIFY", "SUBSCRIBE", "UNSUBSCRIBE"],
      ...["MKCALENDAR", "LINK", "UNLINK", "SOURCE", "M-SEARCH"],
    ].map((method) => `${method} without a body`),
  },
  {
    fault: "A request without a body becomes an upload in chunks",
    message: "request",
    services: http,
    cases: [
      ...["a DELETE that HTTP/2 ends with an empty frame", "a GET that HTTP/2 ends with an empty frame"],
      ...["a MKCOL that HTTP/2 ends with an empty frame", "fields of WebDAV"],
    ],
  },
  {
    fault: "Requests of many fields are refused over HTTP/2",
    message: "request",
    visitor: "HTTP/2",
    services: ["http", "h2c"],
    cases: ["180 cookies, a field each", "140 fields", "400 fields"],
  },
  {
    fault: "Repeated fields of a request become one over HTTP/2, or lose values",
    message: "request",
    visitor: "HTTP/2",
    services: ["http", "h2c"],
    cases: ["repeated fields", "fields twice that may stand once"],
  },
  {
    fault: "A field that may stand once makes others lose values",
    message: "request",
    visitor: "HTTP/1.1",
    services: ["h2c"],
    cases: ["fields twice that may stand once"],
  },
  {
    fault: "A field that may stand once makes others lose values",
    message: "answer",
    visitor: "HTTP/2",
    services: ["http"],
    cases: [
      ...["Content-Type", "Content-Language", "Content-Encoding", "Date", "ETag", "Location", "Age", "Expires"],
      ...["Last-Modified", "X-Content-Type-Options", "Access-Control-Allow-Credentials", "Access-Control-Max-Age"],
      ...["Content-Range", "Retry-After", "Content-Location"],
    ].map((name) => `${name} 2 times`),
  },
  {
    fault: "Repeated fields of an HTTP/2 service become one",
    message: "answer",
    services: ["h2c"],
    cases: ["repeated fields", "several trailers"],
  },
  {
    fault: "Many fields of an HTTP/2 service are refused",
    message: "answer",
    services: ["h2c"],
    cases: ["200 cookies", "500 fields"],
  },
  {
    fault: "Only hints with links are passed on, joined and under another spelling",
    message: "answer",
    visitor: "HTTP/1.1",
    services: [...http, "h2c"],
    cases: [
      ...["102 before the answer", "several 102", "103 with several links", "103 with a policy", "103 without fields"],
      ...["104 with a field", "199 that nobody knows", "103 before the answer", "several 1xx"],
    ],
  },
  {
    fault: "Only hints with links are passed on, joined and under another spelling",
    message: "talk",
    visitor: "HTTP/1.1",
    cases: ["a sign of life arrives before the answer"],
  },
  {
    fault: "An empty reason becomes the usual one",
    message: "answer",
    visitor: "HTTP/1.1",
    services: http,
    cases: ["HTTP/1.0 without a reason", "an empty reason", "no reason and no space"],
  },
  {
    fault: "A status that Node's HTTP/2 does not send ends the stream without an answer",
    message: "answer",
    visitor: "HTTP/2",
    services: http,
    cases: ["a status of 600", "a status of 999", "a body after 204"],
  },
  {
    fault: "304 does not end with its head, so Go misses the body that its length speaks of",
    message: "answer",
    visitor: "HTTP/2",
    cases: ["304 with the length of the body", "a body after 304"],
    clients: ["go"],
  },
  {
    fault: "Fields beyond a number are dropped silently",
    message: "answer",
    services: http,
    cases: ["1000 fields"],
  },
  {
    fault: "Trailer beside a length makes Node's server throw",
    message: "answer",
    visitor: "HTTP/1.1",
    services: http,
    cases: ["Trailer without trailers"],
  },
  {
    fault: "Answers are read strictly",
    message: "answer",
    services: http,
    cases: [
      ...["trailers that may only stand in a head", "a folded trailer", "a trailer with a control character"],
      ...["a length beside chunks", "chunks beside a length", "a wrong length beside chunks", "the same length twice"],
      ...["the same length as a list", "the coding identity with a length", "an empty Transfer-Encoding"],
      ...["an empty Content-Length", "line feeds only", "one line that ends in a line feed"],
      ...["a status line that ends in a line feed", "a head that ends in a line feed", "a space before the colon"],
      ...["a space before the colon of the length", "a folded field", "a field folded by a tab"],
      ...["a folded content type", "a control character in a value", "DEL in a value", "escape in a cookie"],
      ...["a name with parentheses", "a name with a slash", "a name with a space", "a name in utf-8"],
      ...["a name in latin1", "a name with at and brackets", "a line without a colon", "a line without a name"],
      ...["HTTP/1.2", "a lower-case version", "chunk sizes with spaces after them"],
      ...["chunk sizes padded on the last chunk", "chunk lines that end in line feeds"],
      ...["a chunk size that ends in a line feed", "chunk extensions after a space"],
    ],
  },
  {
    fault: "An answer that breaks off is blamed on the tunnel",
    message: "answer",
    services: [...http, "h2c"],
    cases: [
      ...["half of the length", "half of the length, of text", "half of the length, then a reset"],
      ...["nothing of the length", "nothing of the length, then a reset", "half of an error's length"],
      ...["half of a bad request's length", "a reset in a body with a length"],
    ],
  },
  {
    fault: "A reset looks like the end of a whole answer",
    message: "answer",
    services: http,
    cases: [
      ...["a reset after a body without a length", "a reset after a body without a length or type"],
      ...["a reset after a body of HTTP/1.0"],
    ],
  },
  {
    fault: "A reset looks like the end of a whole answer",
    message: "talk",
    cases: ["an answer until the end is reset after its first part"],
  },
  {
    fault: "The answer of a service that does not read the upload is lost",
    message: "answer",
    isChance: true,
    cases: ["401", "413", "501"].flatMap((status) =>
      [1, 20, 200, 2_000].map((size) => `${status} before ${size} KB are read`),
    ),
  },
  {
    fault: "The protocol of an upgrade is the one that was asked for, in lower case, not the one that was chosen",
    message: "talk",
    cases: ["an offer of several protocols", "an offer in another spelling"],
  },
  {
    fault: "An offer with a body is refused",
    message: "talk",
    cases: ["an offer with a body"],
  },
  {
    fault: "A silent visitor ends a stream that the service has begun, and a call of gRPC",
    message: "talk",
    cases: ["a visitor that is silent after the answer has begun", "a call of gRPC that is silent in both directions"],
  },
];
