#!/usr/bin/env node
import { useCompileCache } from "@porthole/common/compile-cache";

// The bundle that is published (esbuild.config.mjs). Compiled code is only cached of what is imported from here on.
useCompileCache();
const program = new URL("porthole-relay-main.mjs", import.meta.url);
await import(program.href);
