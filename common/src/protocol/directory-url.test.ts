import assert from "node:assert/strict";
import { parseDirectoryUrl } from "./directory-url.ts";

describe("parseDirectoryUrl", () => {
  it("takes plain https URLs as they are", () => {
    for (const url of ["https://ca.example/acme/directory", "https://[2001:db8::1]:14000/dir", "https://ca.internal"])
      assert.equal(parseDirectoryUrl(url), url);
  });

  it("takes nothing else", () => {
    const wrong = [
      "",
      "ca.example",
      "http://ca.example/dir",
      "file:///etc/passwd",
      "https://",
      "https://user@ca.example/dir",
      "https://user:secret@ca.example/dir",
      "https://ca.example/dir#part",
      "https://ca.example/a b",
      "https://ca.example/\u001b[2J",
      `https://ca.example/${"a".repeat(300)}`,
    ];
    for (const url of wrong) assert.equal(parseDirectoryUrl(url), undefined, url);
  });
});
