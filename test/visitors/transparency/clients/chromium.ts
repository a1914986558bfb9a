import { needProgram } from "@porthole/testing/end-to-end";
import { chromium as playwright } from "playwright-core";
import type { Client } from "./client.ts";

/** A page that fetches from its own origin. */
export const chromium: Client = {
  reader: "chromium",
  visitor: "HTTP/2",
  need: (context) => needProgram(context, "chromium"),
  async read(_scope, { origin }, visits) {
    const browser = await playwright.launch({
      executablePath: "/usr/bin/chromium",
      args: [
        ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
        ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
        ...["--ignore-certificate-errors", "--host-resolver-rules=MAP *.localhost 127.0.0.1"],
      ],
    });
    try {
      const page = await browser.newPage();
      await page.goto(origin);
      const answers = await page.evaluate(fetchAll, visits as never);
      return answers.map(({ body, whole, ...head }) => ({
        ...{ ...head, informs: [], trailers: [] },
        body: Buffer.from(body, "base64").toString("latin1"),
        end: whole ? "whole" : "cut",
      }));
    } finally {
      await browser.close();
    }
  },
};

interface Fetched {
  readonly status: number;
  readonly reason: string;
  readonly fields: [string, string][];
  /** In base64. */
  readonly body: string;
  readonly whole: boolean;
}

/** Runs in the page. */
async function fetchAll(visits: { method: string; path: string; upload?: number }[]): Promise<Fetched[]> {
  const nothing: Fetched = { status: 0, reason: "", fields: [], body: "", whole: false };
  const answers: Fetched[] = [];
  for (const { method, path, upload } of visits) {
    const body = upload === undefined ? {} : { body: "x".repeat(upload) };
    const signal = AbortSignal.timeout(10_000);
    answers.push(await read(path, { method, cache: "no-store", redirect: "manual", signal, ...body }));
  }
  return answers;

  async function read(path: string, init: object): Promise<Fetched> {
    try {
      const response = await fetch(path, init);
      const head = { ...nothing, status: response.status, reason: response.statusText, fields: [...response.headers] };
      const bytes = await response.arrayBuffer().catch(() => undefined);
      if (!bytes) return head;
      let text = "";
      for (const byte of new Uint8Array(bytes)) text += String.fromCharCode(byte);
      return { ...head, body: btoa(text), whole: true };
    } catch {
      return nothing;
    }
  }
}
