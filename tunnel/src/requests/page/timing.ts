import type { ExchangeDetail } from "../../rpc/index.ts";
import { t } from "../text.ts";
import { el } from "./dom.ts";
import { duration } from "./format.ts";

/** Returns the times of an exchange, as bars. */
export function timingOf({ timing }: ExchangeDetail): HTMLElement {
  const total = timing.endMs ?? Math.max(0, timing.responseEndMs ?? 0, timing.responseHeadMs ?? 0);
  const spans: readonly (readonly [string, number | undefined, number | undefined])[] = [
    [t("Access rules"), 0, timing.forwardedMs],
    [t("Local service until its answer"), timing.forwardedMs, timing.responseHeadMs],
    [t("Response"), timing.responseHeadMs, timing.responseEndMs ?? timing.endMs],
  ];
  return el(
    "div",
    { class: "timing" },
    ...spans.flatMap(([label, from, to]) => {
      if (from === undefined || to === undefined) return [];
      const bar = el("div", { class: "bar", aria: { hidden: true } });
      const share = (ms: number): number => (total > 0 ? (100 * ms) / total : 0);
      bar.style.marginLeft = `${share(from)}%`;
      bar.style.width = `max(2px, ${share(to - from)}%)`;
      return [
        el(
          "div",
          { class: "span" },
          el("span", {}, label),
          el("span", {}, duration(to - from)),
          el("div", { class: "track" }, bar),
        ),
      ];
    }),
    el("p", {}, t("Total: {0}", duration(timing.endMs))),
    timing.linkRttMs === undefined
      ? undefined
      : el("p", {}, t("Round trip to the relay: {0}", duration(timing.linkRttMs))),
    timing.handshakeMs === undefined
      ? undefined
      : el("p", {}, t("The visitor's TLS handshake: {0}", duration(timing.handshakeMs))),
  );
}
