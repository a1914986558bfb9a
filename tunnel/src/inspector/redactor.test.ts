import assert from "node:assert/strict";
import { Redactor } from "./redactor.ts";

const redactor = new Redactor(["ssn", "X-Internal"]);

describe("redacting headers", () => {
  const cases: readonly [string, string, string][] = [
    ["Authorization", "Bearer abc.def", "Bearer <redacted>"],
    ["authorization", "Basic YWRhOnB3", "Basic <redacted>"],
    ["Authorization", "abc", "<redacted>"],
    ["Authorization", 'AWS4-HMAC-SHA256 Credential=x, Signature="y z"', "AWS4-HMAC-SHA256 <redacted>"],
    ["Proxy-Authorization", "Basic YWRhOnB3", "Basic <redacted>"],
    ["Cookie", "sid=abc; theme=dark;x", "sid=<redacted>; theme=<redacted>;x"],
    ["Cookie", "sid=a=b; ", "sid=<redacted>; "],
    ["Set-Cookie", "sid=abc; Path=/; HttpOnly", "sid=<redacted>; Path=/; HttpOnly"],
    ["Set-Cookie", "abc; Path=/", "<redacted>; Path=/"],
    ["X-Api-Key", "k", "<redacted>"],
    ["X-INTERNAL", "k", "<redacted>"],
    ["Accept", "text/html", "text/html"],
    ["Referer", "https://a.example/?token=t&x=1#f", "https://a.example/?token=<redacted>&x=1#f"],
    ["Location", "/cb?x=1&access_token=t", "/cb?x=1&access_token=<redacted>"],
    ["Link", '</a?api_key=k>; rel="next"', '</a?api_key=<redacted>>; rel="next"'],
  ];
  for (const [name, value, expected] of cases)
    it(`${name}: ${value}`, () => {
      const [header] = redactor.headers([name, value]);
      assert.equal(header?.value, expected);
      assert.equal(header?.redacted ?? false, value !== expected);
    });
});

describe("redacting targets", () => {
  const cases: readonly [string, string][] = [
    ["/a?b=c", "/a?b=c"],
    ["/a?token=x", "/a?token=<redacted>"],
    ["/a?b=c&accessToken=x%20y&d", "/a?b=c&accessToken=<redacted>&d"],
    ["/a?porthole-share=x", "/a?porthole-share=<redacted>"],
    ["/a?%74oken=x", "/a?%74oken=<redacted>"],
    ["/a?token=", "/a?token="],
    ["/a?tokens=x&mytoken=y", "/a?tokens=x&mytoken=y"],
    ["/a?x=1?token=y", "/a?x=1?token=<redacted>"],
    ["/a?token=it's;x&y", "/a?token=<redacted>&y"],
    ["/a?next=/cb?token=y#z", "/a?next=/cb?token=<redacted>#z"],
    ["/a?%zz=1&token=y", "/a?%zz=1&token=<redacted>"],
  ];
  for (const [target, expected] of cases) it(target, () => assert.equal(redactor.target(target), expected));
});

describe("redacting JSON", () => {
  const cases: readonly [string, string][] = [
    ['{"a":1}', '{"a":1}'],
    ['{ "password" : "x\\"y", "n": 1e400 }', '{ "password" : "<redacted>", "n": 1e400 }'],
    ['{"user":{"Password":12345678901234567890,"x":[]}}', '{"user":{"Password":"<redacted>","x":[]}}'],
    ['{"secret":{"a":"}","b":["]"]},"c":2}', '{"secret":"<redacted>","c":2}'],
    ['[{"token":null},{"token":true}]', '[{"token":"<redacted>"},{"token":"<redacted>"}]'],
    ['{"p\\u0061ssword":"x"}', '{"p\\u0061ssword":"<redacted>"}'],
    [
      '{"apiKey":"x","ssn":"1"}\n{"api_key":"y"}',
      '{"apiKey":"<redacted>","ssn":"<redacted>"}\n{"api_key":"<redacted>"}',
    ],
    ['{"note":"password","x":"\\"token\\":1"}', '{"note":"password","x":"\\"token\\":\\"<redacted>\\""}'],
    ['{"password":"cut o', '{"password":"<redacted>"'],
    ['{"password":{"x":[1', '{"password":"<redacted>"'],
    ['{"password":', '{"password":'],
    ['{"passwo', '{"passwo'],
    [
      '{"got":"{\\"user\\":\\"a\\",\\"password\\":\\"h\\\\\\"x\\"}"}',
      '{"got":"{\\"user\\":\\"a\\",\\"password\\":\\"<redacted>\\"}"}',
    ],
    ['{"a":"{\\"token\\": 12, \\"b\\": 1}"}', '{"a":"{\\"token\\": \\"<redacted>\\", \\"b\\": 1}"}'],
    ['{"a":"{\\"token\\":\\"cut', '{"a":"{\\"token\\":\\"<redacted>\\"'],
    [
      JSON.stringify(JSON.stringify(JSON.stringify({ secret: "x", b: 1 }))),
      JSON.stringify(JSON.stringify(JSON.stringify({ secret: "<redacted>", b: 1 }))),
    ],
    ["", ""],
  ];
  for (const [text, expected] of cases)
    it(text, () => assert.equal(redactor.body(text, "json", "application/json"), expected));

  it("does it in messages with a prefix, and in scripts of pages", () => {
    assert.equal(redactor.text('42["login",{"password":"x"}]'), '42["login",{"password":"<redacted>"}]');
    assert.equal(
      redactor.body(`<p class="x">It's</p><script>s({"token": "x", 'secret':'y'})</script>`, "html", "text/html"),
      `<p class="x">It's</p><script>s({"token": "<redacted>", 'secret':"<redacted>"})</script>`,
    );
    assert.equal(redactor.text("see https://a.example/?token=x now"), "see https://a.example/?token=<redacted> now");
  });

  const texts: readonly [string, string][] = [
    ['event: a\ndata: {"secret":{"a":[1]},"b":2}\n\n', 'event: a\ndata: {"secret":"<redacted>","b":2}\n\n'],
    ["password=x&a=b", "password=<redacted>&a=b"],
    ["A=1\nAPI_KEY=x y\n", "A=1\nAPI_KEY=<redacted> y\n"],
    ['<a><s:Password Type="x">y z</s:Password><b>c</b>', '<a><s:Password Type="x"><redacted></s:Password><b>c</b>'],
    ["<token/>text<secret>cut o", "<token/>text<secret><redacted>"],
    ['say "hi\nthen "token": 1', 'say "hi\nthen "token": "<redacted>"'],
  ];
  for (const [text, expected] of texts) it(JSON.stringify(text), () => assert.equal(redactor.text(text), expected));

  it("takes time in proportion to the length", () => {
    const long = `{"a":"${'\\"'.repeat(500_000)}","password":[${"[".repeat(200_000)}`;
    assert.ok(redactor.body(long, "json", "").endsWith('"password":"<redacted>"'));
    redactor.text(`"${"a: ".repeat(300_000)}`);
    redactor.body(`{"a":"${'\\\\"a\\\\":'.repeat(100_000)}`, "json", "");
    redactor.body(`{"a":"${'\\\\"token\\\\":\\\\"'.repeat(3_000)}`, "json", "");
    redactor.text("<a ".repeat(200_000));
    redactor.text(`<${"a:".repeat(200_000)}`);
    redactor.text("?a".repeat(300_000));
    redactor.text("'a'    :".repeat(100_000));
  });
});

describe("redacting forms", () => {
  const type = 'multipart/form-data; boundary="b-1"';
  const multipart = (password: string): string =>
    `--b-1\r\nContent-Disposition: form-data; name="user"\r\n\r\nada\r\n` +
    `--b-1\r\ncontent-disposition: form-data; name="pass-word"\r\n\r\n${password}\r\n` +
    `--b-1\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\nx\r\n\r\ny\r\n--b-1--\r\n`;

  it("replaces values and keeps the rest", () => {
    const form = "user=ada&pass%77ord=x%26y&a&=&ssn=1";
    const type = "application/x-www-form-urlencoded";
    assert.equal(redactor.body(form, "form", type), "user=ada&pass%77ord=<redacted>&a&=&ssn=<redacted>");
    assert.equal(
      redactor.body(multipart("a\r\nb"), "multipart", 'multipart/form-data; boundary="b-1"'),
      multipart("<redacted>"),
    );
  });

  it("hides what is cut off", () => {
    const whole = multipart("hush");
    const cut = redactor.body(whole.slice(0, whole.indexOf("hush") + 2), "multipart", type);
    assert.ok(cut.endsWith("\r\n\r\n<redacted>"), cut);
  });
});
