import { isFull } from "@porthole/testing/end-to-end";
import { useEditor } from "@porthole/testing/editor";
import { exposedPort, firstMinutes, help, requests, setScene, trouble, type Look } from "./tour/index.ts";

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
/** Each look takes a minute of a processor. */
const looks = isFull ? every : every.slice(0, 1);

/** Surfaces as pictures for somebody to look at: test-results/editor/LOOK SURFACE.png. */
describe("What the extension looks like", function () {
  this.timeout(600_000);
  const editor = useEditor();

  for (const look of looks)
    it(look.name, async () => {
      const scene = await setScene(editor, look);
      const url = await firstMinutes(scene);
      await exposedPort(scene, url);
      await help(scene);
      await requests(scene, url);
      await trouble(scene, url);
    });
});
