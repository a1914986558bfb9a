import module from "node:module";

/**
 * Runs a program of a checkout from its sources, without a build. It needs the Node that npm has installed in the checkout: `npx porthole`
 * and `npx porthole-relay` run under it.
 *
 * @param {URL} source
 */
export async function runSource(source) {
  if (!("registerHooks" in module) || !process.features.typescript) {
    console.error(
      "This checkout's programs need its own Node. In the checkout: npm install, then npx porthole or npx porthole-relay.",
    );
    process.exit(2);
  }
  module.registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, { ...context, conditions: [...context.conditions, "source"] }),
  });
  // For the processes that it starts.
  process.execArgv.push("--conditions=source");
  await import(source.href);
}
