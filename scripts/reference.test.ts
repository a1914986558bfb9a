import assert from "node:assert/strict";
import { choice, defineOptions, flag, text } from "@porthole/common/options";
import { optionsTable } from "./reference.ts";

const options = defineOptions({
  transport: { help: "Transport", parse: choice("auto", "h2"), default: "auto", placeholder: "KIND" },
  "state-dir": { help: "Everything that is written", parse: text, defaultHelp: "the platform's data folder" },
  mode: { help: "How local services are reached, which this text explains at some length", parse: choice("a", "b") },
  "domain-suffix": { help: "Allowed suffix", parse: text, repeatable: true },
  open: { help: "Lets anyone in", parse: flag },
  inspect: { help: "Keeps requests", parse: flag, default: "true" },
  "acme-eab-hmac": { help: "Key of the ACME account", parse: text, secret: true },
});

describe("optionsTable", () => {
  it("has a row for each option", () => {
    assert.equal(
      optionsTable(options),
      `| flag | environment variable | default | purpose |
| --- | --- | --- | --- |
| \`--transport KIND\` | \`PORTHOLE_TRANSPORT\` | \`auto\` | Transport |
| \`--state-dir TEXT\` | \`PORTHOLE_STATE_DIR\` | the platform's data folder | Everything that is written |
| \`--mode a\\|b\` | \`PORTHOLE_MODE\` |  | How local services are reached, which this text explains at some length |
| \`--domain-suffix TEXT\` | \`PORTHOLE_DOMAIN_SUFFIX\` |  | Allowed suffix (repeatable) |
| \`--open\` | \`PORTHOLE_OPEN\` | off | Lets anyone in |
| \`--[no-]inspect\` | \`PORTHOLE_INSPECT\` | \`true\` | Keeps requests |
| \`--acme-eab-hmac-file PATH\` | \`PORTHOLE_ACME_EAB_HMAC\` |  | Key of the ACME account |
`,
    );
  });
});
