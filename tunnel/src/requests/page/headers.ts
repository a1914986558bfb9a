import type { ExchangeDetail, Header } from "../../rpc/index.ts";
import { t } from "../text.ts";
import { el, visible } from "./dom.ts";

/** Returns the fields of request and response, as tables. */
export function headersOf({ summary, origin, transport, request, response }: ExchangeDetail): HTMLElement {
  const { forwarded } = request;
  return el(
    "div",
    {},
    facts(t("General"), [
      [t("URL"), `${origin}${summary.target}`],
      [t("Status"), response ? `${response.status} ${response.statusText}` : "…"],
      [t("Answered by"), summary.answeredBy === "gateway" ? "Porthole" : (forwarded?.service ?? "")],
      [
        t("Visitor"),
        t("{0} · HTTP/{1} (via {2})", summary.visitor.address, summary.httpVersion, transportName(transport)),
      ],
      [t("Trace"), summary.traceId],
    ]),
    ...(response
      ? [headerTable(t("Response headers"), response.headers), headerTable(t("Response trailers"), response.trailers)]
      : []),
    headerTable(t("Request headers"), request.headers),
    headerTable(t("Request trailers"), request.trailers),
    ...(forwarded
      ? [
          headerTable(
            t("As the local service got it: {0} {1}", forwarded.method, visible(forwarded.target)),
            forwarded.headers,
          ),
        ]
      : []),
  );
}

function transportName(transport: ExchangeDetail["transport"]): string {
  return transport === "quic" ? "QUIC" : transport === "http2" ? "HTTP/2" : transport;
}

function headerTable(title: string, headers: readonly Header[]): HTMLElement | "" {
  if (headers.length === 0) return "";
  return facts(
    title,
    headers.map(({ name, value }) => [name, value]),
  );
}

function facts(title: string, rows: readonly (readonly [string, string])[]): HTMLElement {
  return el(
    "table",
    { class: "facts" },
    el("caption", {}, title),
    el(
      "tbody",
      {},
      ...rows.map(([name, value]) => el("tr", {}, el("th", {}, visible(name)), el("td", {}, visible(value)))),
    ),
  );
}
