import assert from "node:assert/strict";
import { toVisitor, type Names } from "../gateway/header-modes.ts";
import { EventReader } from "./event-reader.ts";
import { fieldsOf } from "./redact-fields.ts";
import { Redactor } from "./redactor.ts";

/** Bytes of visitors that make a regular expression backtrack: repeated, after a beginning, before an end. */
const pieces = [
  ...[" ", "\n", "\r\n", "\t", "a", "0", "1 ", "-", "_", ".", ":", ";", "=", "&", "?", "#", ",", "/", "%", "%25"],
  ...['"', "'", "\\", '\\"', "\\\\", '\\\\\\"', "{", "[", "}", "]", "<", ">", "< ", "<a", "<a ", "<a:", "<a>", "</a>"],
  ...[
    '"a"',
    '"a":',
    '"password":',
    "'a':",
    '\\"a\\":',
    '\\"a\\":\\"',
    '\\\\\\"token\\\\\\":\\\\\\"',
    "password",
    "password=",
  ],
  ...["a=", "=a", ";a", "; a=", "&a=", "?a=", "a;", "a ", " a", "\ta", "é", "😀", "\0", "\u2028"],
  ...["--b", "--b\r\n", '--b\r\nContent-Disposition: form-data; name="', ';name="', " name=", "\r\n\r\n", "\r\n "],
  ...['Content-Disposition: form-data; name="\\', "content-disposition:", "data: ", "data:{", "id:", "event:\n"],
  ...[", <", "url=", "url =", "; domain=", ";domain =", "https://", "//", "<//", "http://localhost:"],
];
const beginnings = ["", '{"a":', "<"];
const ends = ["}", '"'];

const redactor = new Redactor();
const multipart = "multipart/form-data; boundary=b";
const form = "application/x-www-form-urlencoded";
const names: Names = {
  mode: "localhost",
  publicAuthority: "x.example",
  local: { authority: "localhost:3000", origin: "http://localhost:3000" },
  localNames: { includes: () => false, includesHost: () => false },
};
/** Each with the most bytes that it is given at once. */
const readers: Readonly<Record<string, { readonly size: number; read(text: string): unknown }>> = {
  text: { size: 200_000, read: (text) => redactor.text(text) },
  JSON: { size: 200_000, read: (text) => redactor.body(text, "json", "application/json") },
  "a form": { size: 200_000, read: (text) => redactor.body(text, "form", form) },
  "a multipart form": { size: 200_000, read: (text) => redactor.body(text, "multipart", multipart) },
  "form fields": { size: 200_000, read: (text) => fieldsOf(text, multipart, redactor.isSecret) },
  events: {
    size: 200_000,
    read: (text) => new EventReader(() => {}).push(Buffer.from(text)),
  },
  "a target": { size: 32_768, read: (text) => redactor.target(text) },
  "a boundary": { size: 32_768, read: (text) => redactor.body("--b", "multipart", `multipart/x; ${text}`) },
  ...Object.fromEntries(
    ["authorization", "cookie", "set-cookie", "referer", "x-api-key"].map((name) => [
      `the header ${name}`,
      { size: 32_768, read: (text: string) => redactor.headers([name, text]) },
    ]),
  ),
  ...Object.fromEntries(
    ["location", "refresh", "link", "set-cookie"].map((name) => [
      `a service's ${name}`,
      { size: 65_536, read: (text: string) => toVisitor([name, text], names) },
    ]),
  ),
};

/** Processor time for all of one reader's inputs that are quadratic would be minutes; linear ones take some milliseconds each. */
const maxMs = 250;

describe("Reading visitors' bytes takes linear time", function () {
  this.timeout(300_000);

  for (const [name, { size, read }] of Object.entries(readers))
    it(`of ${name}`, () => {
      let worst = { ms: 0, piece: "" };
      for (const piece of pieces)
        for (const text of textsOf(piece, size)) {
          const before = process.cpuUsage();
          read(text);
          const { user, system } = process.cpuUsage(before);
          const ms = (user + system) / 1_000;
          if (ms > worst.ms) worst = { ms, piece: JSON.stringify(text.slice(0, 20)) };
          assert.ok(ms < maxMs, `${ms.toFixed(0)} ms for ${text.length} characters of ${JSON.stringify(piece)}`);
        }
      assert.ok(worst.ms > 0);
    });
});

/** The piece alone, and with each beginning and end. */
function textsOf(piece: string, size: number): string[] {
  const body = piece.repeat(Math.ceil(size / piece.length));
  return [...beginnings.map((beginning) => beginning + body), ...ends.map((end) => body + end)];
}
