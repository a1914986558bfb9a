import assert from "node:assert/strict";
import { helpText } from "./help.ts";
import { defineOptions } from "./options.ts";
import { choice, flag, port, text } from "./parsers.ts";

const options = defineOptions({
  "api-port": { help: "Port for clients", parse: port, default: "4433" },
  transport: { help: "Transport", parse: choice("auto", "h2"), default: "auto", placeholder: "KIND" },
  "state-dir": { help: "Everything that is written", parse: text, defaultHelp: "the platform's data folder" },
  mode: { help: "How local services are reached, which this text explains at some length", parse: choice("a", "b") },
  "domain-suffix": { help: "Allowed suffix", parse: text, repeatable: true },
  open: { help: "Lets anyone in", parse: flag },
  inspect: { help: "Keeps requests", parse: flag, default: "true" },
  "acme-eab-hmac": { help: "Key of the ACME account", parse: text, secret: true },
});

describe("helpText", () => {
  it("begins with an example and fits the columns", () => {
    const help = helpText(options, {
      summary: "Puts a local port on the internet.",
      example: "porthole --server relay.example.com --local 3000",
      commands: { "porthole join INVITE": "Remembers a relay" },
      columns: 72,
    });
    assert.equal(
      help,
      `  porthole --server relay.example.com --local 3000

Puts a local port on the internet.

Commands:
  porthole join INVITE       Remembers a relay

Options:
  --api-port PORT            Port for clients (default: 4433)
  --transport KIND           Transport (default: auto)
  --state-dir TEXT           Everything that is written (default: the
                             platform's data folder)
  --mode a|b                 How local services are reached, which this
                             text explains at some length
  --domain-suffix TEXT       Allowed suffix (repeatable)
  --open                     Lets anyone in
  --[no-]inspect             Keeps requests (default: true)
  --acme-eab-hmac-file PATH  Key of the ACME account
  --help                     This text

Every option has an environment variable: PORTHOLE_API_PORT for --api-port.
`,
    );
  });
});

describe("helpText of a long table", () => {
  const long = defineOptions({
    local: { help: "Local service", parse: text },
    "pool-size": { help: "Connections", parse: text, advanced: true },
  });
  const context = { summary: "Puts a port on the internet.", example: "porthole 3000" };

  it("leaves out what few people need, and says how to see it", () => {
    const help = helpText(long, context);
    assert.match(
      help,
      /^Everyday options:\n {2}--local TEXT +Local service\n {2}--help \[all\] +This text; with all, 1 more/m,
    );
    assert.doesNotMatch(help, /--pool-size/);
  });

  it("has everything when all is asked for", () => {
    assert.match(helpText(long, { ...context, all: true }), /^Other options:\n {2}--pool-size TEXT +Connections$/m);
  });
});
