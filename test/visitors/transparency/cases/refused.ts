/** A request that is refused before it reaches the service: raw bytes, where NAME is the public name with its port and SITE the name alone. */
export interface RefusedCase {
  readonly bytes: string;
  readonly status: number;
}

const host = "Host: NAME\r\n";
const get = `GET / HTTP/1.1\r\n${host}`;
const post = `POST / HTTP/1.1\r\n${host}`;
const smuggled = `GET /smuggled HTTP/1.1\r\n${host}\r\n`;
const chunks = "0\r\n\r\n";

function refused(status: number, cases: Readonly<Record<string, string>>): Record<string, RefusedCase> {
  return Object.fromEntries(Object.entries(cases).map(([name, bytes]) => [name, { bytes, status }]));
}

/** What two servers could read differently is refused (RFC 9112 11.2). */
export const refusedRequests: Readonly<Record<string, RefusedCase>> = {
  ...refused(400, {
    "a length and chunks": `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}${smuggled}`,
    "chunks and a length": `${post}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n${chunks}${smuggled}`,
    "two lengths": `${post}Content-Length: 0\r\nContent-Length: 44\r\n\r\n${smuggled}`,
    "the same length twice": `${post}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`,
    "a list of lengths": `${post}Content-Length: 5, 5\r\n\r\nhello`,
    "a length with a plus": `${post}Content-Length: +5\r\n\r\nhello`,
    "a length with a minus": `${post}Content-Length: -5\r\n\r\nhello`,
    "a length in hex": `${post}Content-Length: 0x5\r\n\r\nhello`,
    "a length with a fraction": `${post}Content-Length: 5.0\r\n\r\nhello`,
    "an empty length": `${post}Content-Length:\r\n\r\n`,
    "a length with a space inside": `${post}Content-Length: 5 5\r\n\r\nhello`,
    "a length beyond all numbers": `${post}Content-Length: 99999999999999999999\r\n\r\nhello`,
    "chunked twice": `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}${smuggled}`,
    "chunked and identity": `${post}Transfer-Encoding: chunked, identity\r\n\r\n${chunks}${smuggled}`,
    "chunks in HTTP/1.0": `POST / HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n${chunks}${smuggled}`,
    "a space before the colon of the coding": `${post}Transfer-Encoding : chunked\r\n\r\n${chunks}${smuggled}`,
    "a tab before the coding's name": `${post}X: y\r\n\tTransfer-Encoding: chunked\r\n\r\n${chunks}${smuggled}`,
    "a folded coding": `${post}Transfer-Encoding:\r\n chunked\r\n\r\n${chunks}${smuggled}`,
    "a control character before the coding": `${post}Transfer-Encoding: \x0bchunked\r\n\r\n${chunks}${smuggled}`,
    "a coding hidden by a line feed": `${post}X: y\nTransfer-Encoding: chunked\r\n\r\n${chunks}${smuggled}`,
    "a coding hidden by a carriage return": `${post}X: y\rTransfer-Encoding: chunked\r\n\r\n${chunks}${smuggled}`,
    "a length hidden by a NUL": `${post}Content-Length: 0\0\r\n\r\n${smuggled}`,
    "a folded field": `${get}X: a\r\n b\r\n\r\n`,
    "a fold before the first field": `GET / HTTP/1.1\r\n X: y\r\n${host}\r\n`,
    "a line feed in the head": `${get}X: a\nY: b\r\n\r\n`,
    "a head of line feeds": "GET / HTTP/1.1\nHost: NAME\n\n",
    "a carriage return in a value": `${get}X: a\rb\r\n\r\n`,
    "a NUL in a value": `${get}X: a\0b\r\n\r\n`,
    "a NUL in a name": `${get}X\0: a\r\n\r\n`,
    "a control character in a value": `${get}X: a\x01b\r\n\r\n`,
    "DEL in a value": `${get}X: a\x7fb\r\n\r\n`,
    "a space in a name": `${get}X Y: a\r\n\r\n`,
    "an empty name": `${get}: a\r\n\r\n`,
    "a line without a colon": `${get}nonsense\r\n\r\n`,
    "a name in utf-8": `${get}\xc3\x9c: a\r\n\r\n`,
    "a name with parentheses": `${get}X(Y): a\r\n\r\n`,
    "no Host": "GET / HTTP/1.1\r\n\r\n",
    "an empty Host": "GET / HTTP/1.1\r\nHost:\r\n\r\n",
    "two Hosts": `${get}Host: other.example\r\n\r\n`,
    "the same Host twice": `${get}${host}\r\n`,
    "a Host with a user": "GET / HTTP/1.1\r\nHost: a@NAME\r\n\r\n",
    "a Host with a path": "GET / HTTP/1.1\r\nHost: NAME/a\r\n\r\n",
    "a Host with a comma": "GET / HTTP/1.1\r\nHost: NAME,other.example\r\n\r\n",
    "a Host with a space": "GET / HTTP/1.1\r\nHost: NAME other\r\n\r\n",
    "a space before the colon of Host": "GET / HTTP/1.1\r\nHost : NAME\r\n\r\n",
    "a target without a slash": `GET a HTTP/1.1\r\n${host}\r\n`,
    "an empty target": `GET  HTTP/1.1\r\n${host}\r\n`,
    "a fragment": `GET /a#b HTTP/1.1\r\n${host}\r\n`,
    "a space in the target": `GET /a b HTTP/1.1\r\n${host}\r\n`,
    "a tab in the target": `GET /a\tb HTTP/1.1\r\n${host}\r\n`,
    "a NUL in the target": `GET /a\0b HTTP/1.1\r\n${host}\r\n`,
    "a carriage return in the target": `GET /a\rb HTTP/1.1\r\n${host}\r\n`,
    "raw utf-8 in the target": `GET /gr\xc3\xbc\xc3\x9fe HTTP/1.1\r\n${host}\r\n`,
    "raw latin1 in the target": `GET /gr\xfc\xdfe HTTP/1.1\r\n${host}\r\n`,
    "another scheme": `GET ftp://NAME/ HTTP/1.1\r\n${host}\r\n`,
    "a space before the method": ` GET / HTTP/1.1\r\n${host}\r\n`,
    "a method in lower case": `get / HTTP/1.1\r\n${host}\r\n`,
    "a version of letters": `GET / HTTP/x.y\r\n${host}\r\n`,
    "a lower-case version": `GET / http/1.1\r\n${host}\r\n`,
    "a version with more digits": `GET / HTTP/1.10\r\n${host}\r\n`,
    "a chunk size that is none": `${post}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
    "a chunk size with a sign": `${post}Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n`,
    "a chunk size with 0x": `${post}Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n`,
    "a chunk size beyond all numbers": `${post}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello\r\n`,
    "a chunk size that ends in a line feed": `${post}Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n`,
    "a chunk that is too long": `${post}Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n`,
    "a chunk that ends in a line feed": `${post}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n`,
    "a chunk extension with a line feed": `${post}Transfer-Encoding: chunked\r\n\r\n5;a\nb\r\nhello\r\n0\r\n\r\n`,
    "bytes that mean nothing": "\x16\x03\x01\x02\x00 hello\r\n\r\n",
    "the preface of HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  }),
  ...refused(421, {
    "a Host that is not ours": "GET / HTTP/1.1\r\nHost: other.example\r\n\r\n",
    "a Host that begins as ours": "GET / HTTP/1.1\r\nHost: SITE.evil.example\r\n\r\n",
    "an absolute form that is not ours": `GET http://other.example/ HTTP/1.1\r\n${host}\r\n`,
    "an absolute form beside another Host": "GET https://NAME/ HTTP/1.1\r\nHost: other.example\r\n\r\n",
  }),
  ...refused(501, {
    "a coding that nobody knows": `${post}Transfer-Encoding: xchunked\r\n\r\n${chunks}`,
    "a coding before chunked": `${post}Transfer-Encoding: gzip, chunked\r\n\r\n${chunks}`,
    "the coding identity": `${post}Transfer-Encoding: identity\r\n\r\n`,
  }),
  ...refused(405, { CONNECT: `CONNECT NAME HTTP/1.1\r\n${host}\r\n` }),
  ...refused(417, { "an expectation that nobody knows": `${get}Expect: miracles\r\n\r\n` }),
  ...refused(431, {
    "a field of 40 KB": `${get}X: ${"a".repeat(40_000)}\r\n\r\n`,
    "40 KB in many fields": `${get}${`X: ${"a".repeat(1_000)}\r\n`.repeat(40)}\r\n`,
  }),
  ...refused(505, {
    "HTTP/0.9": "GET /\r\n\r\n",
    "HTTP/2.0 in text": `GET / HTTP/2.0\r\n${host}\r\n`,
  }),
};
