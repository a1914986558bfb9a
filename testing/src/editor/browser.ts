import { chromium, errors, type Browser, type Locator, type Page } from "playwright-core";

/** Longer than any step takes on a machine that is busy with something else, and longer than a client's pause between attempts. */
export const slowMs = 90_000;

/** Chromium as a developer's and as a visitor's: public names lead to loopback, and self-signed certificates are taken. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    timeout: slowMs,
    executablePath: "/usr/bin/chromium",
    args: [
      ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
      ...["--ignore-certificate-errors", "--host-resolver-rules=MAP *.localhost 127.0.0.1"],
    ],
  });
}

/** For a gesture that is repeated when it found no target in time. */
export function ignoreTimeout(reason: unknown): void {
  if (!(reason instanceof errors.TimeoutError)) throw reason;
}

/** Whether it comes to be there, or whatever else is waited for, in time. */
export function comes(what: Locator, options: Parameters<Locator["waitFor"]>[0]): Promise<boolean> {
  return what.waitFor(options).then(
    () => true,
    (reason: unknown) => {
      ignoreTimeout(reason);
      return false;
    },
  );
}

/** A page of a visitor's. */
export async function openPage(browser: Browser): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(slowMs);
  return page;
}
