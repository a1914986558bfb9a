import assert from "node:assert/strict";
import { parseAddress } from "./address.ts";
import { localOf } from "./port-target.ts";

describe("typed ports and addresses", () => {
  for (const [text, local] of [
    ["80", "localhost:80"],
    ["443", "localhost:443"],
    [" 3000 ", "localhost:3000"],
    [":3000", "localhost:3000"],
    ["localhost:80", "localhost:80"],
    ["LOCALHOST:8080", "localhost:8080"],
    ["127.0.0.1:5173", "localhost:5173"],
    ["0.0.0.0:5173", "localhost:5173"],
    ["192.168.1.5:80", "192.168.1.5:80"],
    ["[::1]:3000", "localhost:3000"],
    ["[::]:3000", "localhost:3000"],
    ["[fe80::1]:3000", "[fe80::1]:3000"],
    ["http://localhost", "localhost:80"],
    ["http://localhost:80", "localhost:80"],
    ["https://localhost", "https://localhost:443"],
    ["https://localhost:443/", "https://localhost:443"],
    ["HTTPS://localhost:3000", "https://localhost:3000"],
    ["http://localhost:23917/shop?x=1#top", "localhost:23917"],
    ["localhost:23917/shop", "localhost:23917"],
    ["http://[::1]:3000/a", "localhost:3000"],
    ["http://3000.example:81", "3000.example:81"],
    ["host:65535", "host:65535"],
    ["３０００", "localhost:3000"],
    ["localhost：３０００", "localhost:3000"],
    ["\u200e3000\ufeff", "localhost:3000"],
    ["ws://localhost:3000/socket", "localhost:3000"],
    ["wss://localhost:3000", "https://localhost:3000"],
    ["my_host-1.example.:3000", "my_host-1.example.:3000"],
  ] as const)
    it(`reads ${text} as ${local}`, () => {
      const { target } = parseAddress(text);
      assert.equal(target && localOf(target), local);
    });

  for (const [text, problem] of [
    ["", /Write a port/],
    ["3000-3005", /One port at a time/],
    ["3000, 3001", /One port at a time/],
    ["3000 3001", /One port at a time/],
    ["/tmp/app.sock", /file or folder/],
    ["unix:/tmp/app.sock", /file or folder/],
    ["./dist", /file or folder/],
    ["~/site", /file or folder/],
    [String.raw`C:\site`, /file or folder/],
    ["3000.0", /Not a port or address/],
    ["0x50", /Not a port or address/],
    ["-1", /Not a port or address/],
    ["+3000", /Not a port or address/],
    ["127.1:80", /Not a port or address/],
    ["1.2.3.4.5:80", /Not a port or address/],
    ["999.1.1.1:80", /Not a port or address/],
    ["http:3000", /Not a port or address/],
    ["//localhost:3000", /Write a port/],
    ["*:3000", /Not a port or address/],
    ["0", /from 1 to 65535/],
    ["99999", /from 1 to 65535/],
    ["localhost:0", /from 1 to 65535/],
    ["abc", /Which port of abc\? Write abc:3000/],
    ["tcp://localhost:3000", /tcp:\/\/ is not supported/],
    ["ftp://localhost", /ftp:\/\/ is not supported/],
    ["localhost:abc", /Not a port: abc/],
    ["localhost:", /Not a port: /],
    ["localhost:1e3", /Not a port: 1e3/],
    ["localhost:-1", /Not a port: -1/],
    ["::1", /brackets: \[::1\]:3000/],
    ["[::1", /Not a port or address/],
    ["[zz]:80", /Not a port or address/],
    ["user@localhost:80", /user name/],
    ["http://", /Write a port/],
    ["two words:80", /Not a port or address/],
    ["1234567", /Not a port: 1234567/],
  ] as const)
    it(`explains what is wrong with ${JSON.stringify(text)}`, () => {
      const parsed = parseAddress(text);
      assert.equal(parsed.target, undefined);
      assert.match("problem" in parsed ? parsed.problem : "", problem);
    });
});
