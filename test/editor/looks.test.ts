import type { Browser } from "playwright-core";
import { platformReason, skipUnless } from "@porthole/testing/skip";
import { isFull, needProgram, useScope } from "@porthole/testing/end-to-end";
import { launchBrowser, packExtension } from "@porthole/testing/editor";
import { exposedPort, firstMinutes, help, requests, setScene, trouble, type Look, type Scene } from "./tour/index.ts";

const themes = [
  ["dark", "Default Dark Modern"],
  ["light", "Default Light Modern"],
  ["contrast", "Default High Contrast"],
] as const;
const languages = [
  ["English", "en"],
  ["German", "de"],
  ["Chinese", "zh-cn"],
] as const;
const every: readonly Look[] = themes.flatMap(([theme, colorTheme]) =>
  languages.map(([language, code]) => ({ name: `${theme} ${language}`, colorTheme, language: code })),
);
/** The small run shows everything in one look, and the first minutes in the one that differs from it most. */
const looks = isFull ? every : [every[0], every.at(-1)].filter((look) => look !== undefined);

/** Surfaces as pictures for somebody to look at: test-results/editor/LOOK SURFACE.png. */
describe("What the extension looks like", function () {
  this.timeout(600_000);
  let browser: Browser;
  let scene: Scene | undefined;

  before(async function () {
    this.timeout(10 * 60_000);
    skipUnless(this, process.platform === "linux" && process.arch === "x64", platformReason("The editor is Linux's"));
    needProgram(this, "chromium");
    await packExtension();
    browser = await launchBrowser();
  });
  after(() => browser?.close());
  // Declared before the scope, whose hook closes the workbench.
  afterEach(async function () {
    await scene?.workbench.pictureOfFailure(this.currentTest);
    scene = undefined;
  });
  const scope = useScope();

  for (const look of looks)
    it(look.name, async () => {
      scene = await setScene(scope, browser, look);
      const url = await firstMinutes(scene);
      if (!isFull && look !== looks[0]) return;
      await exposedPort(scene, url);
      await help(scene);
      await requests(scene, url);
      await trouble(scene, url);
    });
});
