#!/usr/bin/env node
import { existsSync } from "node:fs";

// npm links a command to a file that exists when it installs. In a checkout nothing is built by then, so the sources run.
const source = new URL("../src/main.ts", import.meta.url);
if (existsSync(source)) {
  const { runSource } = await import("../../scripts/run-source.js");
  await runSource(source);
} else await import("../dist/porthole-relay.mjs");
