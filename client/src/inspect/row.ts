import { styleText } from "node:util";
import type { ExchangeSummary } from "@porthole/tunnel/rpc";
import { formatBytes, formatDuration } from "@porthole/common/util";
import { printable } from "../printable.ts";
import { fit } from "./columns.ts";

export type Paint = (style: Parameters<typeof styleText>[0], text: string) => string;

export const plainPaint: Paint = (_style, text) => text;
export const colourPaint: Paint = (style, text) => styleText(style, text, { validateStream: false });

interface Column {
  readonly title: string;
  readonly width: number;
  readonly align?: "right";
  /** Columns of the terminal from which there is room for it. */
  readonly from?: number;
  readonly text: (summary: ExchangeSummary) => string;
  readonly style?: (summary: ExchangeSummary) => Parameters<Paint>[0];
}

const gap = 2;
const before: readonly Column[] = [
  { title: "ID", width: 6, align: "right", text: ({ id }) => id },
  { title: "TIME", width: 8, from: 80, text: ({ startedAt }) => timeOf(startedAt), style: () => "dim" },
  { title: "METHOD", width: 7, text: ({ method }) => printable(method) },
  { title: "STATUS", width: 6, text: outcomeOf, style: colourOf },
  {
    title: "TOOK",
    width: 8,
    align: "right",
    text: ({ durationMs }) => (durationMs === undefined ? "" : formatDuration(durationMs)),
  },
  { title: "SIZE", width: 8, align: "right", from: 60, text: ({ responseBytes }) => formatBytes(responseBytes) },
];
const after: readonly Column[] = [
  { title: "VISITOR", width: 15, from: 100, text: ({ visitor }) => printable(visitor.address), style: () => "dim" },
];

export function headingOf(columns: number): string {
  return layOut(columns, "PATH", ({ title, width, align }) => fit(title, width, align));
}

/** One request in one line. */
export function rowOf(summary: ExchangeSummary, columns: number, paint: Paint = plainPaint): string {
  return layOut(columns, pathOf(summary), ({ text, width, align, style }) => {
    const cell = fit(text(summary), width, align);
    return style ? paint(style(summary), cell) : cell;
  });
}

/** The path gets the room that the others leave. */
function layOut(columns: number, path: string, cell: (column: Column) => string): string {
  const shown = (all: readonly Column[]): readonly Column[] => all.filter(({ from = 0 }) => columns >= from);
  const used = [...shown(before), ...shown(after)].reduce((sum, { width }) => sum + width + gap, 0);
  const cells = [...shown(before).map(cell), fit(path, Math.max(10, columns - used)), ...shown(after).map(cell)];
  return cells.join(" ".repeat(gap));
}

/** Returns the outcome of a request, in six cells. */
export function outcomeOf({ status, state, answeredBy, error }: ExchangeSummary): string {
  const mark = state === "open" ? "…" : answeredBy === "gateway" ? "*" : "";
  if (status !== undefined) return `${status}${state === "failed" && error?.code !== "aborted" ? "!" : mark}`;
  return state === "open" ? "…" : error?.code === "aborted" ? "left" : "failed";
}

function pathOf({ target, kind, messages, replayOf, edited }: ExchangeSummary): string {
  const marks = [
    ...(kind === "websocket" ? [`[ws ${messages ?? 0}]`] : []),
    ...(kind === "sse" ? [`[sse ${messages ?? 0}]`] : []),
    ...(kind === "upgrade" ? ["[upgrade]"] : []),
    ...(replayOf === undefined ? [] : [`[replay of ${replayOf}${edited ? ", edited" : ""}]`]),
  ];
  return [...marks, printable(target)].join(" ");
}

export function colourOf({ status, state }: ExchangeSummary): Parameters<typeof styleText>[0] {
  if (state === "failed" || (status ?? 0) >= 500) return "red";
  if ((status ?? 0) >= 400) return "yellow";
  if ((status ?? 0) >= 300) return "cyan";
  return status === undefined ? "dim" : "green";
}

export function timeOf(time: number): string {
  return new Date(time).toTimeString().slice(0, 8);
}
