import { answers } from "./cases/answers.ts";
import { http2Answers } from "./cases/http2-answers.ts";
import { http2Refused } from "./cases/http2-refused.ts";
import { refusedRequests } from "./cases/refused.ts";
import { requests } from "./cases/requests.ts";
import { idleTalks, talks } from "./cases/talks.ts";
import { readers } from "./readers.ts";
import { whereListed } from "./listed.ts";
import { listedDifferences } from "./listed-differences.ts";

/** What is tried, who reads it, and every listed difference; for docs/gateway.md. */
export function transparencySummary(): string {
  const corpora: Readonly<Record<string, object>> = {
    ...answers,
    "answers of HTTP/2 services": http2Answers,
    ...requests,
    "requests that are refused": refusedRequests,
    "requests over HTTP/2 that are refused": http2Refused,
    ...talks,
    "two minutes of silence": idleTalks,
  };
  const counts = Object.entries(corpora).map(([name, cases]) => `${name} (${Object.keys(cases).length})`);
  const all = Object.values(corpora).reduce((sum, cases) => sum + Object.keys(cases).length, 0);
  const rows = Map.groupBy(
    listedDifferences,
    (listed) => `| ${listed.what} | ${whereListed(listed)} | ${listed.reason} |`,
  );
  return [
    `${all} cases: ${counts.join(", ")}.`,
    "",
    `Readers: ${Object.values(readers).join(", ")}.`,
    "",
    "| Difference | Where | Reason |",
    "| --- | --- | --- |",
    ...rows.keys(),
    "",
  ].join("\n");
}
