import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { envName, type OptionTable } from "../common/src/options/options.ts";
import { relayOptions } from "@porthole/relay";
import { clientOptions } from "porthole";

describe("the Compose file", () => {
  it("has every option of relay and client, and no other", () => {
    const compose = readFileSync(new URL("../docker/docker-compose.yml", import.meta.url), "utf8");
    const [, relay = "", client = ""] = compose.split(/^ {2}(?:relay|client):$/m);
    assert.deepEqual(variablesIn(relay), variablesOf(relayOptions));
    assert.deepEqual(variablesIn(client), variablesOf(clientOptions));
  });
});

function variablesIn(yaml: string): string[] {
  return [...yaml.matchAll(/^ {6}(PORTHOLE_\w+):/gm)].map(([, name = ""]) => name).sort();
}

function variablesOf(table: OptionTable): string[] {
  return Object.entries(table)
    .map(([name, spec]) => envName(name, spec))
    .sort();
}
