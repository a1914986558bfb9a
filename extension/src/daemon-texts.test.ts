import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { dialFaultTexts } from "@porthole/common/link";
import { useTranslation } from "./text.ts";
import { translated } from "@porthole/tunnel/requests";
import { errorText } from "./controller/error-text.ts";

const root = join(import.meta.dirname, "..", "..");

describe("texts of the daemon", () => {
  const german = JSON.parse(readFileSync(join(root, "l10n", "bundle.l10n.de.json"), "utf8")) as Record<string, string>;
  const fill = (text: string, ...args: (string | number)[]): string =>
    text.replaceAll(/\{(\d+)\}/g, (_, index: string) => String(args[Number(index)]));
  before(() => useTranslation((text, ...args) => fill(german[text] ?? text, ...args)));
  after(() => useTranslation(fill, { intoEnglish: true }));

  it("has a translation for all that a failed connection can say", () => {
    for (const text of dialFaultTexts()) {
      const said = text.replace(/\{\w+\}/, "[::1]:4433");
      assert.notEqual(translated(said), said, text);
      if (text !== said) assert.match(translated(said), /\[::1\]:4433/);
    }
  });

  it("translates what and why", () => {
    assert.equal(
      errorText({
        message: "The local service localhost:3000 does not answer: nothing listens there",
        hint: "Check this machine's network.",
      }),
      "Der lokale Dienst localhost:3000 antwortet nicht: dort nimmt niemand Verbindungen an. Prüfe das Netzwerk dieses Rechners.",
    );
  });

  it("leaves everything else as it is", () => {
    for (const text of ["Something else", "Something: else", "", ": ", "a: b: c."])
      assert.equal(translated(text), text);
  });
});
