import { defineConfig } from "oxlint";
import { layerOverrides, noCircles } from "./scripts/layer-rules.ts";

export default defineConfig({
  plugins: ["typescript", "unicorn", "import", "node"],
  categories: { correctness: "error", suspicious: "error" },
  env: { node: true, mocha: true },
  options: { typeAware: true, denyWarnings: true, reportUnusedDisableDirectives: "error" },
  ignorePatterns: ["**/dist/**", "**/node_modules/**", "test/frameworks/projects/**"],
  rules: {
    ...noCircles,
    "typescript/no-floating-promises": "error",
    "typescript/no-misused-promises": "error",
    "typescript/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
    "typescript/only-throw-error": "error",
    "typescript/no-explicit-any": "error",
    "typescript/no-non-null-assertion": "error",
    "typescript/consistent-type-imports": "error",
    // Only where it decides who catches.
    "typescript/return-await": ["error", "error-handling-correctness-only"],
    "no-unused-expressions": "error",
    "no-console": "error",
    // The hooks of Node's streams have such names.
    "no-underscore-dangle": [
      "error",
      { allow: ["_construct", "_destroy", "_final", "_flush", "_read", "_transform", "_write", "_writev"] },
    ],
    // The compiler's noImplicitReturns does it, and knows which switches are exhaustive.
    "typescript/consistent-return": "off",
    // Bytes, JSON and native code come in as unknown; their readers narrow by asserting.
    "typescript/no-unsafe-type-assertion": "off",
    // Shadowing is how a narrower thing takes a name; the compiler sees what is unused.
    "no-shadow": "off",
    // Order is the point of most of our loops.
    "no-await-in-loop": "off",
    // A spread array keeps a flag beside its value, and a spread condition is how an optional property stays absent.
    "unicorn/no-useless-spread": "off",
    // Where a function stands says who uses it.
    "unicorn/consistent-function-scoping": "off",
    // toSorted() costs a copy of what is often made for the sort.
    "unicorn/no-array-sort": "off",
    // About windows of browsers; ours are worker threads and processes.
    "unicorn/require-post-message-target-origin": "off",
  },
  overrides: [
    {
      files: ["scripts/**", "bench/**", "test/**", "testing/**", "examples/**", "esbuild.config.mjs"],
      rules: { "no-console": "off" },
    },
    {
      files: ["**/*.test.ts", "test/**", "testing/**", "bench/**", "examples/**"],
      rules: {
        // Fakes are made of other objects' methods.
        "typescript/unbound-method": "off",
        // A rejection that nobody handles fails the run, so a listener may be async.
        "typescript/no-misused-promises": ["error", { checksVoidReturn: false }],
        // Scripts inside test pages are kept short.
        "unicorn/prefer-add-event-listener": "off",
      },
    },
    ...layerOverrides,
  ],
});
