import type { Browser } from "playwright-core";
import { platformReason, skipUnless } from "@porthole/testing/skip";
import { needProgram, useScope } from "@porthole/testing/end-to-end";
import { launchBrowser, packExtension } from "@porthole/testing/editor";
import { exposedPort, firstMinutes, help, requests, setScene, trouble, type Look } from "./tour/index.ts";

/** Each theme in a language of its own: neither depends on the other. */
const looks: readonly Look[] = [
  { name: "dark English", colorTheme: "Default Dark Modern", language: "en" },
  { name: "light German", colorTheme: "Default Light Modern", language: "de" },
  { name: "contrast Chinese", colorTheme: "Default High Contrast", language: "zh-cn" },
];

/** Every surface once in each theme and language, as pictures for somebody to look at: test-results/editor/LOOK SURFACE.png. */
describe("What the extension looks like", function () {
  this.timeout(600_000);
  const scope = useScope();
  let browser: Browser;

  before(async function () {
    this.timeout(10 * 60_000);
    skipUnless(this, process.platform === "linux" && process.arch === "x64", platformReason("The editor is Linux's"));
    needProgram(this, "chromium");
    await packExtension();
    browser = await launchBrowser();
  });
  after(() => browser?.close());

  for (const look of looks)
    it(look.name, async () => {
      const scene = await setScene(scope, browser, look);
      const url = await firstMinutes(scene);
      await exposedPort(scene, url);
      await help(scene);
      await requests(scene, url);
      await trouble(scene, url);
    });
});
