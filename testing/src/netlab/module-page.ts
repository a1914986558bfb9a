// A visitor's browser: `module-page.ts URL ADDRESS h2|http/1.1` loads the page of module-server.ts, and prints how long that took and over what.
import { chromium } from "playwright-core";

const [url = "", address = "", version = ""] = process.argv.slice(2);
const patienceMs = 180_000;
const browser = await chromium.launch({
  timeout: patienceMs,
  executablePath: "/usr/bin/chromium",
  args: [
    ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
    ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
    ...["--ignore-certificate-errors", `--host-resolver-rules=MAP *.localhost ${address}`],
    ...(version === "h2" ? [] : ["--disable-http2"]),
  ],
});
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(patienceMs);
  page.on("requestfailed", (request) => console.error("failed", request.url(), request.failure()?.errorText));
  await page.goto(url);
  await page.waitForFunction(() => "sum" in globalThis);
  const loaded = await page.evaluate(() => {
    const entries = performance.getEntriesByType("resource") as unknown as readonly {
      readonly nextHopProtocol: string;
      readonly responseEnd: number;
    }[];
    return {
      sum: (globalThis as unknown as { readonly sum: number }).sum,
      count: entries.length,
      protocols: [...new Set(entries.map(({ nextHopProtocol }) => nextHopProtocol))],
      ms: Math.max(...entries.map(({ responseEnd }) => responseEnd)),
    };
  });
  console.log(JSON.stringify(loaded));
} finally {
  await browser.close();
}
