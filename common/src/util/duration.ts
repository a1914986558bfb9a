const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Parses a time like `500ms`, `10s`, `5m`, `2h` or `30d` to milliseconds. Returns undefined for anything else. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(\d{1,10}(?:\.\d{1,6})?)(ms|s|m|h|d)$/.exec(text);
  const unit = unitsMs[match?.[2] ?? ""];
  return match === null || unit === undefined ? undefined : Math.round(Number(match[1]) * unit);
}
