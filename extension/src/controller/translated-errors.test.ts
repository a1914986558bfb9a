import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isErrorCode, PortholeError } from "@porthole/common/errors";
import { fromRpcErrorData, type DoctorCheck } from "@porthole/tunnel/rpc";
import { t, useTranslation } from "../text.ts";
import { describeCheck } from "./doctor-text.ts";
import { errorText } from "./error-text.ts";
import { meaningOf } from "./error-meaning.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const fill = (text: string, ...args: (string | number)[]): string =>
  text.replaceAll(/\{(\d+)\}/g, (_, index: string) => String(args[Number(index)]));

/** What the daemon says that nobody has translated word by word: certificates, TLS, the doctor. */
const ofAuthority = "The certificate authority ca.example says: too many orders (rateLimited)";
const codes = ["ca", "untrusted", "unreachable", "timeout", "name", "usage", "key", "protocol", "internal"] as const;
const ids = [
  ...(["local-port", "relay-dns", "relay-tcp", "relay-udp", "relay-trust", "relay-admission"] as const),
  ...(["name-dns", "certificate", "whole-path"] as const),
];
const statuses = ["ok", "warning", "failed", "skipped"] as const;

for (const language of ["de", "zh-cn"])
  describe(`errors of the daemon in ${language}`, () => {
    const file = join(root, "l10n", `bundle.l10n.${language}.json`);
    const bundle = JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
    before(() => useTranslation((text, ...args) => fill(bundle[text] ?? text, ...args)));
    after(() => useTranslation(fill, { intoEnglish: true }));

    for (const code of codes)
      it(`begin with what ${code} means, whatever the text is`, () => {
        assert.ok(isErrorCode(code));
        const meaning = meaningOf(code) ?? "";
        assert.ok(Object.values(bundle).includes(meaning), meaning);
        const data = { code, message: ofAuthority, hint: "Try again later.", retryable: false };
        assert.equal(errorText(data), `${meaning} (${ofAuthority})`);
        assert.equal(errorText(fromRpcErrorData(data)), `${meaning} (${ofAuthority})`);
      });

    it("stay as they are when the extension has written them, or a newer daemon has another code", () => {
      assert.equal(errorText(new PortholeError("usage", t("No relay is configured"))), t("No relay is configured"));
      assert.equal(errorText({ code: "of-tomorrow", message: "Something new" }), "Something new");
    });

    for (const id of ids)
      it(`say the step ${id} of the doctor`, () => {
        for (const status of statuses) {
          const check: DoctorCheck = {
            id,
            status,
            finding: "It is so.",
            ...(status === "failed" ? { fix: "Do it." } : {}),
          };
          const { name, finding, fix } = describeCheck(check);
          const known = Object.values(bundle);
          assert.ok(known.includes(name), name);
          assert.ok(known.includes(finding.replace(/ \(It is so\)$/, "")), finding);
          if (status === "failed") assert.ok(known.includes(fix?.replace(/\.$/, "") ?? ""), fix);
        }
      });
  });

describe("errors of the daemon in English", () => {
  before(() => useTranslation(fill, { intoEnglish: true }));

  it("are what the daemon says", () => {
    assert.equal(errorText({ code: "ca", message: ofAuthority }), ofAuthority);
    const check = { id: "relay-tcp", status: "failed", finding: "It is so.", fix: "Do it." } as const;
    assert.deepEqual(describeCheck(check), { name: "relay-tcp", finding: "It is so.", fix: "Do it." });
  });
});
