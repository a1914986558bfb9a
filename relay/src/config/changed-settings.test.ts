import assert from "node:assert/strict";
import { readOptions } from "@porthole/common/options";
import { changedSettings } from "./changed-settings.ts";
import { relayConfig, type RelayConfig } from "./config.ts";
import { relayOptions } from "./options.ts";

describe("settings that have changed", () => {
  const settings = (argv: readonly string[], webhookSecret: string): RelayConfig =>
    relayConfig(readOptions(relayOptions, argv, { PORTHOLE_AUTH_WEBHOOK_SECRET: webhookSecret }).values);
  const webhook = ["--auth-webhook", "http://127.0.0.1:9000/"];

  it("are named, also one that has come or gone, and a secret", () => {
    const before = settings(webhook, "0123456789abcdef");
    assert.deepEqual(changedSettings(before, settings(webhook, "0123456789abcdef")), []);
    assert.deepEqual(changedSettings(before, settings(webhook, "0123456789abcdeF")), ["admission"]);
    const withAdmin = settings([...webhook, "--admin-port", "0"], "0123456789abcdef");
    assert.deepEqual(changedSettings(before, withAdmin), ["admin"]);
    assert.deepEqual(changedSettings(withAdmin, before), ["admin"]);
  });
});
